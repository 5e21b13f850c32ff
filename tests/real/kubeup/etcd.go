package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
)

// etcd is the store of the API server, inside this process.
type etcd struct {
	*embed.Etcd
	endpoint string
}

// endpointFile is where, in the folder of the state, the address of etcd is written.
const endpointFile = "etcd-endpoint"

func startEtcd(dir string) (*etcd, error) {
	client, err := loopbackURL()
	if err != nil {
		return nil, err
	}
	peer, err := loopbackURL()
	if err != nil {
		return nil, err
	}
	cfg := embed.NewConfig()
	cfg.Dir = filepath.Join(dir, "etcd")
	cfg.UnsafeNoFsync = true // a test's state need not survive the machine
	cfg.LogLevel = "fatal"
	cfg.SocketOpts.ReusePort = true // the ports are held, see holdPort
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	server, err := embed.StartEtcd(cfg)
	if err != nil {
		return nil, err
	}
	select {
	case <-server.Server.ReadyNotify():
	case <-time.After(30 * time.Second):
		server.Close()
		return nil, errors.New("not ready within 30 s")
	}
	endpoint := client.String()
	return &etcd{server, endpoint}, os.WriteFile(filepath.Join(dir, endpointFile), []byte(endpoint+"\n"), 0o600)
}

func loopbackURL() (url.URL, error) {
	port, err := holdPort("127.0.0.1", 0)
	return url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", port)}, err
}

func compactCommand() *cobra.Command {
	return &cobra.Command{
		Use:          "compact DIR",
		Short:        "makes the etcd of the kubeup whose state is in DIR forget everything but the present",
		Args:         cobra.ExactArgs(1),
		SilenceUsage: true,
		RunE:         func(_ *cobra.Command, args []string) error { return compact(args[0]) },
	}
}

// compactKey is where API servers write the revision they compacted last, and what they watch to learn of a
// compaction by another one. Its version is the count of compactions.
const compactKey = "compact_rev_key"

func compact(dir string) error {
	endpoint, err := os.ReadFile(filepath.Join(dir, endpointFile))
	if err != nil {
		return fmt.Errorf("no kubeup runs there: %w", err)
	}
	client, err := clientv3.New(clientv3.Config{
		Endpoints: []string{strings.TrimSpace(string(endpoint))}, DialTimeout: 5 * time.Second})
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	// Compacted is what was before this very entry, so the present is all that is left.
	entry, err := client.Put(ctx, compactKey, "0")
	if err != nil {
		return err
	}
	revision := entry.Header.Revision
	if _, err := client.Put(ctx, compactKey, strconv.FormatInt(revision, 10)); err != nil {
		return err
	}
	if _, err := client.Compact(ctx, revision, clientv3.WithCompactPhysical()); err != nil {
		return err
	}
	fmt.Println(revision)
	return nil
}
