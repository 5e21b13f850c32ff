// Command kubeup is a real Kubernetes control plane in one program, for tests: etcd and kube-apiserver, and on
// request kube-controller-manager (garbage collection, namespaces, deployments) and kube-scheduler.
//
//	kubeup -dir DIR [-bind 127.0.0.1] [-port 0] [-with controllers,scheduler] [-until-eof] [-again]
//	kubeup compact DIR       makes the etcd of a running kubeup forget everything but the present
//	kubeup kubectl ...       the kubectl of that version
//	kubeup kubelet ...       the kubelet of that version; needs a container runtime
//
// What it writes is in DIR: kubeconfig (of an administrator), audit.log (every write, one JSON object a line), and a
// log for each component. When /readyz answers, it prints one line that begins with "ready". It ends on SIGINT and
// SIGTERM, and with -until-eof as soon as its standard input ends, which also happens when the program that holds
// the other end of that pipe is killed. Its components end with it, however it ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// subcommands are the programs that kubeup is when its first argument names one. The components of a cluster are
// processes of their own: linked into one, they would share a metrics registry, a log and feature gates.
var subcommands = map[string]func() *cobra.Command{
	"compact":                 compactCommand,
	"kube-apiserver":          func() *cobra.Command { return apiserver.NewAPIServerCommand() },
	"kube-controller-manager": func() *cobra.Command { return controllers.NewControllerManagerCommand() },
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kubectl":                 func() *cobra.Command { return kubectl.NewDefaultKubectlCommand() },
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
}

// The kernel kills a child when the thread that started it ends. Children are started by the main goroutine, and
// here it is bound to the main thread, which lives as long as the process.
func init() { runtime.LockOSThread() }

func main() {
	if len(os.Args) > 1 && subcommands[os.Args[1]] != nil {
		command := subcommands[os.Args[1]]()
		command.SetArgs(os.Args[2:])
		os.Exit(cli.Run(command))
	}
	options, err := parse(os.Args[1:])
	if err == nil {
		err = run(options)
	}
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(0)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kubeup:", err)
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	dir, bind             string
	port                  int
	controllers, schedule bool
	untilEOF, again       bool
}

func parse(args []string) (options, error) {
	var o options
	var with string
	flags := flag.NewFlagSet("kubeup", flag.ContinueOnError)
	flags.StringVar(&o.dir, "dir", "", "`folder` of all state (required); without -again a new or an empty one")
	flags.StringVar(&o.bind, "bind", "127.0.0.1", "`address` of the API server")
	flags.IntVar(&o.port, "port", 0, "port of the API server; 0 takes a free one")
	flags.StringVar(&with, "with", "", "components to run besides: controllers, scheduler (comma separated)")
	flags.BoolVar(&o.untilEOF, "until-eof", false, "end when standard input ends")
	flags.BoolVar(&o.again, "again", false, "go on with the state of an earlier run; its -bind and -port have to be the same")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("%q is neither a flag nor a subcommand; see kubeup -help", flags.Arg(0))
	}
	if o.dir == "" {
		return o, errors.New("say with -dir where the state is to be kept")
	}
	for _, component := range strings.FieldsFunc(with, func(r rune) bool { return r == ',' }) {
		switch component {
		case "controllers":
			o.controllers = true
		case "scheduler":
			o.schedule = true
		default:
			return o, fmt.Errorf("-with %s: there are controllers and scheduler", component)
		}
	}
	return o, nil
}

// run starts everything, and returns when it is asked to end or when a component fails. Nothing is left running.
func run(o options) error {
	start := time.Now()
	dir, err := stateDir(o)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if o.untilEOF {
		go func() {
			// However reading ends, nobody can hold the other end any more.
			_, _ = io.Copy(io.Discard, os.Stdin)
			stop()
		}()
	}
	etcd, err := startEtcd(dir)
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	defer etcd.Close()
	server, err := holdPort(o.bind, o.port)
	if err != nil {
		return err
	}
	access, err := makeAccess(dir, o.bind, server, o.again)
	if err != nil {
		return err
	}
	children := newChildren(ctx, dir)
	defer func() { stop(); children.wait() }()
	if err := launch(ctx, children, access, etcd, o); err != nil {
		return err
	}
	fmt.Printf("ready after %v: export KUBECONFIG=%s\n", time.Since(start).Round(time.Millisecond), access.kubeconfig)
	select {
	case <-ctx.Done():
		return nil
	case err := <-children.failed:
		return err
	}
}

// launch starts the components, the API server first, and waits until that answers.
func launch(ctx context.Context, children *children, access access, etcd *etcd, o options) error {
	if err := children.start("kube-apiserver", access.apiServerArgs(etcd.endpoint)...); err != nil {
		return err
	}
	if err := waitReady(ctx, access.kubeconfig, children.failed); err != nil {
		return err
	}
	if o.controllers {
		err := children.start("kube-controller-manager",
			"--kubeconfig="+access.kubeconfig, "--leader-elect=false", "--secure-port=0",
			"--node-monitor-grace-period=24h", // nodes without a kubelet stay as tests make them
			"--service-account-private-key-file="+access.serviceAccountKey, "--use-service-account-credentials=false")
		if err != nil {
			return err
		}
	}
	if o.schedule {
		return children.start("kube-scheduler",
			"--kubeconfig="+access.kubeconfig, "--leader-elect=false", "--secure-port=0")
	}
	return nil
}

// stateDir returns the absolute path of the folder of the state. It makes it, and refuses one that holds another
// cluster's state; or, where an earlier run is to go on, one that holds none.
func stateDir(o options) (string, error) {
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return "", err
	}
	if o.again {
		if _, err := os.Stat(filepath.Join(dir, endpointFile)); err != nil {
			return dir, fmt.Errorf("-again: there is no state in %s: %w", dir, err)
		}
		return dir, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("-dir %s is not empty (there is %s): name a new folder", dir, entries[0].Name())
	}
	return dir, err
}
