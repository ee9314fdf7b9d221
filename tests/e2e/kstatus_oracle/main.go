// The oracle of tools/record_kstatus.py: a JSON object a line in, kstatus's answer a line out.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

type answer struct {
	Status  string `json:"status"`
	Message string `json:"message"`
	Reason  string `json:"reason"`
}

func compute(line []byte) (out answer) {
	defer func() {
		if recover() != nil {
			out = answer{Status: "Panic"}
		}
	}()
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(line); err != nil {
		return answer{Status: "Unreadable", Message: err.Error()}
	}
	res, err := status.Compute(u)
	if err != nil {
		return answer{Status: "Unknown"}
	}
	out = answer{Status: res.Status.String(), Message: res.Message}
	if len(res.Conditions) > 0 {
		out.Reason = res.Conditions[0].Reason
	}
	return out
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<24)
	for in.Scan() {
		text, _ := json.Marshal(compute(in.Bytes()))
		fmt.Println(string(text))
	}
}
