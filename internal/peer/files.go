package peer

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path"

	"ottla/internal/vfs"
)

// Names in the data directory. The folder is made whole under another name and
// then renamed, so it is there with all its files or not at all.
const (
	Folder        = "cluster"
	folderTemp    = Folder + ".tmp"
	authorityName = "authority.pem" // the authority's certificate and key
	nodeName      = "node.pem"      // this node's certificate and key
	secretName    = "secret"
	maxFile       = 64 << 10
)

// ErrNone says that a data directory holds no identity yet.
var ErrNone = errors.New("the data directory holds no identity of a cluster's node")

const checksumKey = "checksum="

// Save keeps the identity in dir, where there must be none yet: folder 0700,
// files 0600, all of it synced when Save returns.
func (id *Identity) Save(f vfs.FS, dir string) error {
	if err := id.save(f, dir); err != nil {
		return fmt.Errorf("keep the identity of %s in %s: %w", id.Whose, path.Join(dir, Folder), err)
	}
	return nil
}

func (id *Identity) save(f vfs.FS, dir string) error {
	folder, temp := path.Join(dir, Folder), path.Join(dir, folderTemp)
	if _, err := f.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fs.ErrExist
		}
		return err
	}
	authority, err := pemOf(id.authority.cert, id.authority.key)
	if err != nil {
		return err
	}
	node, err := pemOf(id.cert, id.key)
	if err != nil {
		return err
	}
	if err := f.RemoveAll(temp); err != nil {
		return err
	}
	if err := f.MkdirAll(temp, 0o700); err != nil {
		return err
	}
	for _, file := range []struct {
		name string
		text []byte
	}{
		{authorityName, authority}, {nodeName, node},
		{secretName, []byte(base64.RawURLEncoding.EncodeToString(id.secret[:]) + "\n")},
	} {
		if err := writeFile(f, path.Join(temp, file.name), file.text); err != nil {
			return err
		}
	}
	if err := f.SyncDir(temp); err != nil {
		return err
	}
	if err := f.Rename(temp, folder); err != nil {
		return err
	}
	return f.SyncDir(dir)
}

// writeFile writes and syncs a new file, with a line that holds its CRC-32C at
// the end: PEM does not notice every flipped bit itself.
func writeFile(f vfs.FS, name string, text []byte) error {
	file, err := f.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	text = fmt.Appendf(text, "%s%08x\n", checksumKey, crc32.Checksum(text, castagnoli))
	if _, err = file.WriteAt(text, 0); err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// Load reads the identity in dir and checks that it is w's. Without one the
// error is ErrNone; one that is damaged, incomplete or somebody else's is a
// *Refused that names the file, never none.
func Load(f vfs.FS, dir string, w Whose) (*Identity, error) {
	folder := path.Join(dir, Folder)
	if _, err := f.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNone
	}
	l := loader{fs: f, folder: folder}
	a := &authority{}
	a.cert, a.key = l.pair(authorityName)
	cert, key := l.pair(nodeName)
	secret := l.secret()
	if l.err != nil {
		return nil, l.err
	}
	if err := a.check(); err != nil {
		return nil, damaged(path.Join(folder, authorityName), err)
	}
	if err := l.judge(a, cert, key, w); err != nil {
		return nil, err
	}
	return assemble(w, a, secret, cert, key), nil
}

// loader reads the files of one folder; the first failure sticks.
type loader struct {
	fs     vfs.FS
	folder string
	err    error
}

func (l *loader) fail(name string, err error) {
	if l.err == nil {
		l.err = damaged(path.Join(l.folder, name), err)
	}
}

func damaged(name string, cause error) *Refused {
	return &Refused{What: name, Reason: "is damaged", Cause: cause,
		Advice: "Restore the folder from a backup of this directory; or, when the cluster has other nodes, remove the folder and join again with --join"}
}

// read gives a file's text without its checksum line.
func (l *loader) read(name string) []byte {
	text, err := readFile(l.fs, path.Join(l.folder, name))
	if err == nil {
		text, err = checked(text)
	}
	if err != nil {
		l.fail(name, err)
	}
	return text
}

func readFile(f vfs.FS, name string) ([]byte, error) {
	file, err := f.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		return nil, err
	}
	if size > maxFile {
		return nil, fmt.Errorf("it has %d bytes, at most %d are taken", size, maxFile)
	}
	text := make([]byte, size)
	if _, err := file.ReadAt(text, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return text, nil
}

var errChecksum = errors.New("its last line is not the checksum of the lines above")

func checked(text []byte) ([]byte, error) {
	i := bytes.LastIndex(text, []byte("\n"+checksumKey))
	if i < 0 || string(text[i+1:]) != fmt.Sprintf("%s%08x\n", checksumKey, crc32.Checksum(text[:i+1], castagnoli)) {
		return nil, errChecksum
	}
	return text[:i+1], nil
}

// pair reads a certificate and its key.
func (l *loader) pair(name string) (*x509.Certificate, *ecdsa.PrivateKey) {
	text := l.read(name)
	if l.err != nil {
		return nil, nil
	}
	cert, key, err := parsePEM(text)
	if err != nil {
		l.fail(name, err)
	}
	return cert, key
}

func (l *loader) secret() (secret [secretSize]byte) {
	text := l.read(secretName)
	if l.err != nil {
		return secret
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(string(bytes.TrimSuffix(text, []byte("\n"))))
	if err == nil && len(b) != secretSize {
		err = fmt.Errorf("it has %d bytes, want %d", len(b), secretSize)
	}
	if err != nil {
		l.fail(secretName, err)
	}
	copy(secret[:], b)
	return secret
}

// judge checks that the certificate is w's and the authority's.
func (l *loader) judge(a *authority, cert *x509.Certificate, key *ecdsa.PrivateKey, w Whose) error {
	name := path.Join(l.folder, nodeName)
	if err := belongs(cert, key); err != nil {
		return damaged(name, err)
	}
	if err := cert.CheckSignatureFrom(a.cert); err != nil {
		return damaged(name, fmt.Errorf("the certificate is not of the authority beside it: %w", err))
	}
	is, err := whoseOf(cert)
	if err != nil {
		return damaged(name, err)
	}
	if is != w {
		return &Refused{What: name, Reason: fmt.Sprintf("is the identity of %s, and this is %s", is, w),
			Advice: "An identity belongs to one directory: remove the folder and join with --join, or put back the folder that belongs here"}
	}
	return nil
}

const (
	pemCertificate = "CERTIFICATE"
	pemKey         = "PRIVATE KEY"
)

// pemOf is a certificate and its key as PEM.
func pemOf(cert *x509.Certificate, key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: pemCertificate, Bytes: cert.Raw})
	return append(text, pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: der})...), nil
}

var errPEM = errors.New("it is not one certificate and one key of ours")

// parsePEM reads what pemOf writes.
func parsePEM(text []byte) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	first, rest := pem.Decode(text)
	if first == nil || first.Type != pemCertificate {
		return nil, nil, errPEM
	}
	second, rest := pem.Decode(rest)
	if second == nil || second.Type != pemKey || len(bytes.TrimSpace(rest)) > 0 {
		return nil, nil, errPEM
	}
	cert, err := x509.ParseCertificate(first.Bytes)
	if err != nil {
		return nil, nil, err
	}
	any, err := x509.ParsePKCS8PrivateKey(second.Bytes)
	if err != nil {
		return nil, nil, err
	}
	key, ok := any.(*ecdsa.PrivateKey)
	if !ok {
		return nil, nil, errPEM
	}
	return cert, key, nil
}
