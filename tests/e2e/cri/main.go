// A client of the container runtime interface, as the kubelet is one: makes a Pod of two containers by a runtime
// handler, looks at it, and removes it. Each line that it prints is a fact that the test compares.
//
//	cri SOCKET HANDLER IMAGE LOGS
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Println("FAILED:", err)
		os.Exit(1)
	}
	return value
}

func main() {
	socket, handler, image, logs := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Second)
	defer cancel()
	link := must(grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials())))
	runtime := cri.NewRuntimeServiceClient(link)
	// As the kubelet asks, unless a Pod shares its processes.
	spaces := &cri.NamespaceOption{Pid: cri.NamespaceMode_CONTAINER}
	pod := &cri.PodSandboxConfig{
		Metadata:     &cri.PodSandboxMetadata{Name: "two", Uid: "u", Namespace: "default"},
		Hostname:     "two",
		LogDirectory: logs,
		Linux: &cri.LinuxPodSandboxConfig{
			CgroupParent:    "/sekisho-cri",
			SecurityContext: &cri.LinuxSandboxSecurityContext{NamespaceOptions: spaces},
		},
	}
	made := must(runtime.RunPodSandbox(ctx, &cri.RunPodSandboxRequest{Config: pod, RuntimeHandler: handler}))
	id := made.PodSandboxId
	defer func() {
		must(runtime.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: id}))
		must(runtime.RemovePodSandbox(ctx, &cri.RemovePodSandboxRequest{PodSandboxId: id}))
		left := must(runtime.ListPodSandbox(ctx, &cri.ListPodSandboxRequest{}))
		fmt.Println("pods left:", len(left.Items))
	}()
	status := must(runtime.PodSandboxStatus(ctx, &cri.PodSandboxStatusRequest{PodSandboxId: id}))
	fmt.Println("pod:", status.Status.State, status.Status.RuntimeHandler, status.Status.Network.Ip != "")
	start := func(name string, script string) string {
		made := must(runtime.CreateContainer(ctx, &cri.CreateContainerRequest{
			PodSandboxId: id,
			Config: &cri.ContainerConfig{
				Metadata: &cri.ContainerMetadata{Name: name},
				Image:    &cri.ImageSpec{Image: image},
				Command:  []string{"/bin/sh", "-c", script},
				Envs:     []*cri.KeyValue{{Key: "NAME", Value: []byte(name)}},
				LogPath:  name + ".log",
				Linux: &cri.LinuxContainerConfig{
					Resources:       &cri.LinuxContainerResources{MemoryLimitInBytes: 64 << 20, CpuShares: 100},
					SecurityContext: &cri.LinuxContainerSecurityContext{NamespaceOptions: spaces},
				},
			},
			SandboxConfig: pod,
		}))
		must(runtime.StartContainer(ctx, &cri.StartContainerRequest{ContainerId: made.ContainerId}))
		return made.ContainerId
	}
	exec := func(container string, command ...string) string {
		done := must(runtime.ExecSync(ctx, &cri.ExecSyncRequest{ContainerId: container, Cmd: command, Timeout: 20}))
		return fmt.Sprintf("%d %s", done.ExitCode, strings.TrimSpace(string(done.Stdout)))
	}
	web := start("web", "echo serving; while :; do echo hello from $NAME | nc -l -p 8080; done")
	side := start("side", "echo beside; trap 'exit 3' TERM; while :; do sleep 0.1; done")
	time.Sleep(time.Second)
	listed := must(runtime.ListContainers(ctx, &cri.ListContainersRequest{}))
	fmt.Println("containers:", len(listed.Containers))
	fmt.Println("one network:", exec(side, "/bin/sh", "-c", "nc 127.0.0.1 8080 < /dev/null"))
	fmt.Println("processes of its own:", exec(side, "/bin/sh", "-c", "grep -c beside /proc/1/cmdline"))
	fmt.Println("host name:", exec(web, "/bin/hostname"))
	fmt.Println("status of exec:", exec(web, "/bin/sh", "-c", "exit 9"))
	stats := must(runtime.ContainerStats(ctx, &cri.ContainerStatsRequest{ContainerId: web}))
	fmt.Println("figures:", stats.Stats.Memory.WorkingSetBytes.Value > 0, stats.Stats.Cpu.UsageCoreNanoSeconds.Value > 0)
	must(runtime.StopContainer(ctx, &cri.StopContainerRequest{ContainerId: side, Timeout: 5}))
	ended := must(runtime.ContainerStatus(ctx, &cri.ContainerStatusRequest{ContainerId: side}))
	fmt.Println("stopped:", ended.Status.State, ended.Status.ExitCode)
	for _, name := range []string{"web", "side"} {
		text := must(os.ReadFile(logs + "/" + name + ".log"))
		fmt.Println("log:", strings.SplitN(strings.TrimSpace(string(text)), " ", 4)[3])
	}
}
