package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// children are the components that run as processes of this program.
type children struct {
	ctx    context.Context
	dir    string
	failed chan error // one for each component that ended
	group  sync.WaitGroup
}

func newChildren(ctx context.Context, dir string) *children {
	return &children{ctx: ctx, dir: dir, failed: make(chan error, len(subcommands))}
}

// start runs a component until the context ends. What it prints goes to DIR/COMPONENT.log.
func (c *children) start(component string, args ...string) error {
	log, err := os.Create(filepath.Join(c.dir, component+".log"))
	if err != nil {
		return err
	}
	defer log.Close() // the child has its own
	cmd := exec.CommandContext(c.ctx, "/proc/self/exe", append([]string{component}, args...)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 3 * time.Second // an open watch keeps the API server from ending; then it is killed
	// Of a process group of its own, so that ctrl-c reaches this program alone; killed when this program is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", component, err)
	}
	c.group.Go(func() {
		err := cmd.Wait()
		c.failed <- fmt.Errorf("%s ended (%v); %s says why", component, err, log.Name())
	})
	return nil
}

// wait returns when every component has ended.
func (c *children) wait() { c.group.Wait() }

// waitReady returns when the API server answers that it is ready, and at the latest after a minute.
func waitReady(ctx context.Context, kubeconfig string, failed <-chan error) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		_, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		if err == nil {
			return nil
		}
		select {
		case failure := <-failed:
			return failure
		case <-ctx.Done():
			return fmt.Errorf("the API server did not become ready: %w (last answer: %w)", ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
