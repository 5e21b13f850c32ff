package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"k8s.io/client-go/util/cert"
)

// access is who may talk to the API server, and how: the files that say so, and where it listens.
type access struct {
	dir, bind                                          string
	port                                               int
	certificate, key, serviceAccountKey, tokens, rules string
	kubeconfig                                         string
}

// auditRules make the API server write down every write, by whom and with what answer.
const auditRules = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: None, verbs: [get, list, watch]}
- {level: Metadata}
`

// makeAccess makes keys, a certificate and an administrator's token, and writes them down. Those of an earlier run are
// kept: tokens that it gave out are still good.
func makeAccess(dir, bind string, port int, again bool) (access, error) {
	in := func(name string) string { return filepath.Join(dir, name) }
	a := access{
		dir: dir, bind: bind, port: port, certificate: in("server.crt"), key: in("server.key"),
		serviceAccountKey: in("service-account.key"), tokens: in("tokens.csv"), rules: in("audit-policy.yaml"),
		kubeconfig: in("kubeconfig"),
	}
	if again {
		return a, nil
	}
	certificate, key, err := cert.GenerateSelfSignedCertKey(bind, []net.IP{net.ParseIP(bind)}, nil)
	if err != nil {
		return a, err
	}
	signing, err := serviceAccountKey()
	if err != nil {
		return a, err
	}
	token := rand.Text()
	files := map[string][]byte{
		a.certificate:       certificate,
		a.key:               key,
		a.serviceAccountKey: signing,
		a.tokens:            []byte(token + ",admin,admin,system:masters\n"),
		a.rules:             []byte(auditRules),
		a.kubeconfig:        a.writeKubeconfig(token),
	}
	for path, content := range files {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return a, err
		}
	}
	return a, nil
}

func (a access) writeKubeconfig(token string) []byte {
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: kubeup
contexts: [{name: kubeup, context: {cluster: kubeup, user: admin}}]
clusters: [{name: kubeup, cluster: {server: %q, certificate-authority: %q}}]
users: [{name: admin, user: {token: %q}}]
`, "https://"+net.JoinHostPort(a.bind, strconv.Itoa(a.port)), a.certificate, token)
}

func (a access) apiServerArgs(etcdEndpoint string) []string {
	return []string{
		"--etcd-servers=" + etcdEndpoint,
		"--bind-address=" + a.bind, "--secure-port=" + strconv.Itoa(a.port),
		"--permit-port-sharing", // the port is held, see holdPort
		"--cert-dir=" + filepath.Join(a.dir, "certs"),
		"--tls-cert-file=" + a.certificate, "--tls-private-key-file=" + a.key,
		"--token-auth-file=" + a.tokens, "--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + a.serviceAccountKey,
		"--service-account-signing-key-file=" + a.serviceAccountKey,
		"--disable-admission-plugins=ServiceAccount", // pods need no token of an account that nobody made
		"--service-cluster-ip-range=10.96.0.0/16",
		"--kubelet-preferred-address-types=InternalIP",
		"--audit-policy-file=" + a.rules, "--audit-log-path=" + filepath.Join(a.dir, "audit.log"),
	}
}

// serviceAccountKey makes the key that signs the tokens of service accounts.
func serviceAccountKey() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), err
}
