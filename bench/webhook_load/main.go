// Loads a webhook over TLS connections that are kept, at a rate or as fast as it answers; for bench/admission.py.
//
// Usage: load URL BODIES CONNECTIONS RATE SECONDS TIMEOUT. BODIES has one AdmissionReview a line; a RATE of 0 has
// each connection ask again as soon as it is answered. At a rate, times count from when a request was due, so that
// waiting for a free place counts too; late is what is answered after its timeout, which begins when it is sent, as
// an API server counts it. It prints one line of JSON.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type figures struct {
	Answered  int     `json:"answered"`
	Judged    int     `json:"judged"`
	Late      int     `json:"late"`
	Failed    int     `json:"failed"`
	Seconds   float64 `json:"seconds"`
	MedianMS  float64 `json:"median_ms"`
	P99MS     float64 `json:"p99_ms"`
	LongestMS float64 `json:"longest_ms"`
}

type answer struct {
	took   time.Duration
	sent   time.Duration
	code   int
	failed bool
}

func number(text string) float64 {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	if len(os.Args) != 7 {
		log.Fatal("usage: load URL BODIES CONNECTIONS RATE SECONDS TIMEOUT")
	}
	content, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	bodies := bytes.Split(bytes.TrimSpace(content), []byte("\n"))
	connections, rate := int(number(os.Args[3])), number(os.Args[4])
	seconds, timeout := number(os.Args[5]), time.Duration(number(os.Args[6])*float64(time.Second))
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}, //nolint:gosec
		MaxIdleConnsPerHost: connections,
		DisableCompression:  true,
	}
	client := &http.Client{Transport: transport}
	url := os.Args[1] + "?timeout=" + strconv.FormatFloat(timeout.Seconds(), 'f', -1, 64) + "s"

	connect(client, url, bodies, connections)
	var next atomic.Int64
	answers := make([][]answer, connections)
	begin := time.Now()
	end := begin.Add(time.Duration(seconds * float64(time.Second)))
	var all sync.WaitGroup
	for i := range connections {
		all.Add(1)
		go func() {
			defer all.Done()
			for {
				n := next.Add(1) - 1
				due := time.Now()
				if rate > 0 {
					due = begin.Add(time.Duration(float64(n) / rate * float64(time.Second)))
				}
				if due.After(end) {
					return
				}
				time.Sleep(time.Until(due))
				answers[i] = append(answers[i], ask(client, url, bodies[int(n)%len(bodies)], due, timeout))
			}
		}()
	}
	all.Wait()
	report(answers, time.Since(begin), timeout)
}

// connect has every connection used once, since an API server has its connections already.
func connect(client *http.Client, url string, bodies [][]byte, connections int) {
	var all sync.WaitGroup
	for i := range connections {
		all.Add(1)
		go func() {
			defer all.Done()
			ask(client, url, bodies[i%len(bodies)], time.Now(), 30*time.Second)
		}()
	}
	all.Wait()
}

func ask(client *http.Client, url string, body []byte, due time.Time, timeout time.Duration) answer {
	ctx, cancel := context.WithTimeout(context.Background(), 2*timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	begin := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return answer{failed: true}
	}
	_, err = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return answer{took: time.Since(due), sent: time.Since(begin), code: response.StatusCode, failed: err != nil}
}

func report(answers [][]answer, took time.Duration, timeout time.Duration) {
	var found figures
	var times []float64
	for _, rows := range answers {
		for _, row := range rows {
			if row.failed {
				found.Failed++
				continue
			}
			found.Answered++
			if row.code == http.StatusOK {
				found.Judged++
			}
			if row.sent > timeout {
				found.Late++
			}
			times = append(times, float64(row.took)/float64(time.Millisecond))
		}
	}
	sort.Float64s(times)
	if len(times) > 0 {
		found.MedianMS = times[len(times)/2]
		found.P99MS = times[len(times)*99/100]
		found.LongestMS = times[len(times)-1]
	}
	found.Seconds = took.Seconds()
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		log.Fatal(err)
	}
}
