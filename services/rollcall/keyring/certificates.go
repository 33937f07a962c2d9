package keyring

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	caCert, caKey = "ca.crt", "ca.key"
	// A new authority means new trust everywhere; a new certificate is one
	// command.
	caYears   = 10
	certYears = 2
	// expiresSoon is when somebody is told.
	expiresSoon = 60 * 24 * time.Hour
	// backdate forgives clocks that are a little apart.
	backdate = time.Hour
)

// natsHosts are the names of the servers in deploy/compose.
func natsHosts() []string {
	return []string{"nats", "nats-0", "nats-1", "nats-2", "localhost", "127.0.0.1", "::1"}
}

func certificates(o Options) []file {
	hosts := slices.Concat(natsHosts(), o.Hosts)
	return slices.Concat(
		authority(o.Dir),
		certificate(o.Dir, "nats", hosts),
		certificate(o.Dir, "emulator", []string{"emulator", "localhost", "127.0.0.1", "::1"}),
	)
}

// authority is a private certificate authority. Its key stays on the host, or
// is kept elsewhere once the certificates are made.
func authority(dir string) []file {
	if _, err := os.Stat(filepath.Join(dir, caCert)); err == nil {
		return nil
	}
	return []file{
		{caKey, "the key of the private certificate authority", ownMode, writeKey},
		{caCert, "the certificate authority that clients trust", sharedMode, func(path string) error {
			key, err := readKey(filepath.Join(dir, caKey))
			if err != nil {
				return err
			}
			t, err := template("Rollcall CA", caYears)
			if err != nil {
				return err
			}
			t.IsCA, t.BasicConstraintsValid, t.MaxPathLenZero = true, true, true
			t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
			return sign(path, t, t, key.Public(), key)
		}},
	}
}

// certificate is a server's, and a client's towards the other servers of a
// cluster.
func certificate(dir, name string, hosts []string) []file {
	keyName := name + ".key"
	return []file{
		{keyName, "the key of " + name + "'s certificate", sharedMode, func(path string) error {
			if _, err := os.Stat(filepath.Join(dir, name+".crt")); err == nil {
				return errors.New("its certificate is there: remove that as well")
			}
			return writeKey(path)
		}},
		{name + ".crt", "the certificate of " + name, sharedMode, func(path string) error {
			key, err := readKey(filepath.Join(dir, keyName))
			if err != nil {
				return err
			}
			ca, caKey, err := readAuthority(dir)
			if err != nil {
				return err
			}
			t, err := template(name, certYears)
			if err != nil {
				return err
			}
			t.KeyUsage = x509.KeyUsageDigitalSignature
			t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
			for _, h := range hosts {
				if ip := net.ParseIP(h); ip != nil {
					t.IPAddresses = append(t.IPAddresses, ip)
				} else {
					t.DNSNames = append(t.DNSNames, h)
				}
			}
			return sign(path, t, ca, key.Public(), caKey)
		}},
	}
}

func template(name string, years int) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("serial number: %w", err)
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-backdate), NotAfter: now.AddDate(years, 0, 0),
	}, nil
}

func sign(path string, cert, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) error {
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, public, key)
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	return write(path, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
}

func writeKey(path string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("make key: %w", err)
	}
	return write(path, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}

func readAuthority(dir string) (*x509.Certificate, crypto.Signer, error) {
	cert, err := readCertificate(filepath.Join(dir, caCert))
	if err != nil {
		return nil, nil, err
	}
	key, err := readKey(filepath.Join(dir, caKey))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%s is needed to sign it: %w", caKey, err)
	}
	return cert, key, err
}

func readCertificate(path string) (*x509.Certificate, error) {
	block, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(block)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return cert, nil
}

func readKey(path string) (crypto.Signer, error) {
	block, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(block)
	if err != nil {
		return nil, fmt.Errorf("%s is not a private key in PKCS #8", path) // its bytes stay out of the error
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s cannot sign", path)
	}
	return signer, nil
}

func readPEM(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s is not PEM", path)
	}
	return block.Bytes, nil
}

// warnings are about NATS's certificate: it was made once, for the hosts of then.
func warnings(o Options) ([]string, error) {
	cert, err := readCertificate(filepath.Join(o.Dir, "nats.crt"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []string
	const again = "remove nats.crt and nats.key and run this again"
	for _, h := range o.Hosts {
		if cert.VerifyHostname(h) != nil {
			out = append(out, fmt.Sprintf("nats.crt does not name %s: %s", h, again))
		}
	}
	if left := time.Until(cert.NotAfter); left < expiresSoon {
		out = append(out, fmt.Sprintf("nats.crt ends on %s: %s", cert.NotAfter.Format(time.DateOnly), again))
	}
	return out, nil
}
