// A webhook like Gatekeeper's, made of its own framework, target and controller-runtime, for bench/admission.py.
//
// Usage: peer DIR PORT CERT KEY. DIR has templates, constraints and other objects as YAML. It prints "ready"
// when it listens. What a request goes through is what Gatekeeper's handler does: decoding by controller-runtime,
// a semaphore of GOMAXPROCS places, the framework's review with all constraints, and messages of the results.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"runtime"
	"strings"

	"github.com/open-policy-agent/frameworks/constraint/pkg/apis"
	constraintclient "github.com/open-policy-agent/frameworks/constraint/pkg/client"
	"github.com/open-policy-agent/frameworks/constraint/pkg/client/drivers/rego"
	"github.com/open-policy-agent/frameworks/constraint/pkg/client/reviews"
	"github.com/open-policy-agent/gatekeeper/v3/pkg/gator/reader"
	mutationtypes "github.com/open-policy-agent/gatekeeper/v3/pkg/mutation/types"
	"github.com/open-policy-agent/gatekeeper/v3/pkg/target"
	"github.com/open-policy-agent/gatekeeper/v3/pkg/util"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	k8sruntime "k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

func main() {
	if len(os.Args) != 5 {
		log.Fatal("usage: peer DIR PORT CERT KEY")
	}
	client, err := load(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	handler := &validation{client: client, places: make(chan struct{}, runtime.GOMAXPROCS(-1))}
	webhook, err := admission.StandaloneWebhook(&admission.Webhook{Handler: handler}, admission.StandaloneOptions{})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/admit", webhook)
	server := &http.Server{
		Addr:      "127.0.0.1:" + os.Args[2],
		Handler:   mux,
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}},
	}
	fmt.Println("ready")
	log.Fatal(server.ListenAndServeTLS(os.Args[3], os.Args[4]))
}

// load makes a client of the framework with everything in a folder.
func load(dir string) (*constraintclient.Client, error) {
	driver, err := rego.New()
	if err != nil {
		return nil, err
	}
	client, err := constraintclient.NewClient(
		constraintclient.Targets(&target.K8sValidationTarget{}),
		constraintclient.Driver(driver),
		constraintclient.EnforcementPoints(util.WebhookEnforcementPoint),
	)
	if err != nil {
		return nil, err
	}
	objects, err := reader.ReadSources([]string{dir}, nil, "")
	if err != nil {
		return nil, err
	}
	scheme := k8sruntime.NewScheme()
	if err := apis.AddToScheme(scheme); err != nil {
		return nil, err
	}
	ctx := context.Background()
	for _, object := range objects {
		if reader.IsTemplate(object) {
			template, err := reader.ToTemplate(scheme, object)
			if err != nil {
				return nil, err
			}
			if _, err := client.AddTemplate(ctx, template); err != nil {
				return nil, err
			}
		}
	}
	for _, object := range objects {
		switch {
		case reader.IsConstraint(object):
			_, err = client.AddConstraint(ctx, object)
		case !reader.IsTemplate(object):
			_, err = client.AddData(ctx, object)
		}
		if err != nil {
			return nil, err
		}
	}
	return client, nil
}

// validation answers reviews.
type validation struct {
	client *constraintclient.Client
	places chan struct{}
}

// Handle answers one request.
func (v *validation) Handle(ctx context.Context, request admission.Request) admission.Response {
	select {
	case v.places <- struct{}{}:
		defer func() { <-v.places }()
	case <-ctx.Done():
		return admission.Errored(http.StatusInternalServerError, errors.New("the request is over"))
	}
	review := &target.AugmentedReview{
		AdmissionRequest: &request.AdmissionRequest,
		Source:           mutationtypes.SourceTypeOriginal,
		IsAdmission:      true,
	}
	if request.Namespace != "" {
		review.Namespace = &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: request.Namespace}}
	}
	found, err := v.client.Review(ctx, review, reviews.EnforcementPoint(util.WebhookEnforcementPoint))
	if err != nil {
		return admission.Errored(http.StatusInternalServerError, err)
	}
	var denied, warned []string
	for _, result := range found.Results() {
		line := fmt.Sprintf("[%s] %s", result.Constraint.GetName(), result.Msg)
		switch result.EnforcementAction {
		case string(util.Deny):
			denied = append(denied, line)
		case string(util.Warn):
			warned = append(warned, line)
		}
	}
	status := &metav1.Status{Code: http.StatusOK}
	if len(denied) > 0 {
		status = &metav1.Status{
			Code:    http.StatusForbidden,
			Reason:  metav1.StatusReasonForbidden,
			Message: strings.Join(denied, "\n"),
		}
	}
	return admission.Response{AdmissionResponse: admissionv1.AdmissionResponse{
		Allowed: len(denied) == 0, Result: status, Warnings: warned,
	}}
}
