package peer

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ottla/internal/sim"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

func TestWhatWasFoundedIsLoaded(t *testing.T) {
	f, dir := vfs.NewOS(), t.TempDir()
	if _, err := Load(f, dir, whose(1)); !errors.Is(err, ErrNone) {
		t.Fatalf("an empty directory: %v, want ErrNone", err)
	}
	made, err := Found(f, dir, whose(1), wall)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Load(f, dir, whose(1))
	if err != nil || !got.Equal(made) || got.Token() != made.Token() {
		t.Fatalf("loaded %v, %v", got, err)
	}
	for name, want := range map[string]fs.FileMode{
		Folder: fs.ModeDir | 0o700, Folder + "/" + authorityName: 0o600, Folder + "/" + nodeName: 0o600, Folder + "/" + secretName: 0o600,
	} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
	if _, err := Found(f, dir, whose(1), wall); !errors.Is(err, fs.ErrExist) {
		t.Errorf("founded over an identity: %v", err)
	}
}

// Every file that is missing or damaged is refused by its name, and never
// counts as none.
func TestADamagedIdentityIsNamed(t *testing.T) {
	f, dir := vfs.NewMem(0), "/data"
	if err := f.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Found(f, dir, whose(1), wall); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{authorityName, nodeName, secretName} {
		file := dir + "/" + Folder + "/" + name
		whole, err := readFile(f, file)
		if err != nil {
			t.Fatal(err)
		}
		refused := func(what string) {
			t.Helper()
			_, err := Load(f, dir, whose(1))
			var r *Refused
			if !errors.As(err, &r) || errors.Is(err, ErrNone) || r.What != file || r.Advice == "" {
				t.Fatalf("%s %s: %v, want a refusal that names the file", file, what, err)
			}
		}
		for i := range whole {
			bad := append([]byte(nil), whole...)
			bad[i] ^= 1 << (i % 8)
			rewrite(t, f, file, bad)
			refused(fmt.Sprintf("with byte %d flipped", i))
		}
		rewrite(t, f, file, whole[:len(whole)/2])
		refused("cut in half")
		rewrite(t, f, file, nil)
		refused("empty")
		rewrite(t, f, file, make([]byte, maxFile+1))
		refused("of 64 KiB")
		if err := f.Remove(file); err != nil {
			t.Fatal(err)
		}
		refused("missing")
		rewrite(t, f, file, whole)
		if _, err := Load(f, dir, whose(1)); err != nil {
			t.Fatalf("put back: %v", err)
		}
	}
}

// rewrite replaces a file's content.
func rewrite(t *testing.T, f vfs.FS, name string, text []byte) {
	t.Helper()
	file, err := f.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt(text, 0); err != nil {
		t.Fatal(err)
	}
}

// Files whose checksums are right and that do not belong together are found
// too.
func TestPartsOfTwoIdentitiesAreRefused(t *testing.T) {
	f := vfs.NewMem(0)
	for _, dir := range []string{"/a", "/b"} {
		if err := f.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if _, err := Found(f, dir, whose(1), wall); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{authorityName, nodeName} {
		mine, theirs := "/a/"+Folder+"/"+name, "/b/"+Folder+"/"+name
		whole, err := readFile(f, mine)
		if err != nil {
			t.Fatal(err)
		}
		other, err := readFile(f, theirs)
		if err != nil {
			t.Fatal(err)
		}
		rewrite(t, f, mine, other)
		if _, err := Load(f, "/a", whose(1)); err == nil || !strings.Contains(err.Error(), "not of the authority beside it") {
			t.Errorf("%s of another cluster: %v", name, err)
		}
		rewrite(t, f, mine, whole)
	}
}

// A folder that was copied into another node's directory is not taken.
func TestAnIdentityBelongsToOneDirectory(t *testing.T) {
	f := vfs.NewMem(0)
	if err := f.MkdirAll("/d", 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Found(f, "/d", whose(1), wall); err != nil {
		t.Fatal(err)
	}
	for name, w := range map[string]Whose{
		"another directory": {"C", 1, uuid.UUID{9}}, "another node": {"C", 2, whose(1).DirectoryID}, "another cluster": {"D", 1, whose(1).DirectoryID},
	} {
		_, err := Load(f, "/d", w)
		var r *Refused
		if !errors.As(err, &r) || !strings.Contains(err.Error(), whose(1).String()) || !strings.Contains(err.Error(), w.String()) {
			t.Errorf("%s: %v, want a refusal that names both", name, err)
		}
	}
}

// Founding may be cut at any operation, by a kill or a power cut: afterwards
// there is the whole identity or none, and once Found has returned it stays.
func TestFoundingSurvivesEveryCut(t *testing.T) {
	d := sim.NewDisk(1)
	if err := d.MkdirAll("/var/ottla", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"/var", "/"} {
		if err := d.SyncDir(dir); err != nil {
			t.Fatal(err)
		}
	}
	points := 0
	d.OnOp(func(op sim.Op) sim.Action {
		points++
		for style := sim.Nothing; style <= sim.Garbage; style++ {
			c := d.Clone(uint64(points)*10 + uint64(style))
			c.CrashWith(style)
			c.Restart()
			wholeOrNone(t, fmt.Sprintf("power cut before %v, style %d", op, style), c)
		}
		c := d.Clone(uint64(points))
		c.Kill()
		c.Restart()
		wholeOrNone(t, fmt.Sprintf("kill before %v", op), c)
		return sim.Action{}
	})
	made, err := Found(d, "/var/ottla", whose(1), wall)
	if err != nil {
		t.Fatal(err)
	}
	d.OnOp(nil)
	if points < 10 {
		t.Errorf("only %d operations", points)
	}
	d.CrashWith(sim.Nothing)
	d.Restart()
	if got, err := Load(d, "/var/ottla", whose(1)); err != nil || !got.Equal(made) {
		t.Fatalf("after Found and a power cut: %v, %v", got, err)
	}
}

// wholeOrNone loads what a cut left, and founds anew where nothing was.
func wholeOrNone(t *testing.T, what string, f vfs.FS) {
	t.Helper()
	_, err := Load(f, "/var/ottla", whose(1))
	if errors.Is(err, ErrNone) {
		if _, err = Found(f, "/var/ottla", whose(1), wall); err == nil {
			_, err = Load(f, "/var/ottla", whose(1))
		}
	}
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// certs are what a node shows.
func (id *Identity) certs() []*x509.Certificate {
	return []*x509.Certificate{id.cert, id.authority.cert}
}

func TestNoFormatShowsSecrets(t *testing.T) {
	id := founded(t)
	if of, ok := ClusterOf(id.Token()); !ok || of != id.ClusterID {
		t.Errorf("the token is of cluster %q, %v", of, ok)
	}
	if of, ok := ClusterOf("ottla1.no"); ok {
		t.Errorf("no token is of cluster %q", of)
	}
	tok, err := parseToken(id.Token())
	if err != nil {
		t.Fatal(err)
	}
	var lines logLines
	log := slog.New(slog.NewJSONHandler(&lines, nil))
	r := JoinRequest{Token: id.Token(), ClusterID: "C", NodeID: 2}
	log.Info("x", "id", id, "request", r)
	text := lines.String() + fmt.Sprintf("%v %+v %#v %s", id, id, id, id)
	if strings.Contains(text, id.Token()) || strings.Contains(text, fmt.Sprint(tok.secret)) || strings.Contains(text, fmt.Sprintf("%#v", tok.secret)) {
		t.Errorf("a secret is shown: %s", text)
	}
	if !strings.Contains(text, "node 1") {
		t.Errorf("nothing is shown: %s", text)
	}
}

func TestTokensRoundTrip(t *testing.T) {
	for _, cluster := range []string{"C", "Wq6wxRrFSUeS4pZzTWHtEg", strings.Repeat("x", 255)} {
		want := token{cluster: cluster, authority: fingerprint{1, 2}, secret: [secretSize]byte{3, 4}}
		got, err := parseToken(" " + want.String() + "\n")
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", cluster, got, err)
		}
	}
	text := founded(t).Token()
	if !strings.HasPrefix(text, tokenPrefix) {
		t.Errorf("a token begins %q", text[:8])
	}
	for i := range text {
		bad := text[:i] + "_" + text[i+1:]
		if _, err := parseToken(bad); err == nil && bad != text {
			t.Errorf("a token with character %d changed is taken", i)
		}
		if _, err := parseToken(text[:i]); err == nil {
			t.Errorf("the first %d characters of a token are taken", i)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add(token{cluster: "C", authority: fingerprint{1}, secret: [secretSize]byte{2}}.String())
	f.Add(tokenPrefix)
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		tok, err := parseToken(s)
		if err != nil {
			return
		}
		if again, err := parseToken(tok.String()); err != nil || again != tok {
			t.Fatalf("%q is %+v, and after a round trip %+v (%v)", s, tok, again, err)
		}
	})
}

// A cluster may have any name: it goes into a URI and comes out of it.
func TestNamesInCertificatesRoundTrip(t *testing.T) {
	a, err := newAuthority("C", wall)
	if err != nil {
		t.Fatal(err)
	}
	for _, cluster := range []string{"C", "Wq6wxRrFSUeS4pZzTWHtEg", "a b/c?d#e%f.", "größer", "~41", "-_", "\x00\xff"} {
		want := Whose{ClusterID: cluster, NodeID: 1<<31 - 1, DirectoryID: uuid.UUID{0xff, 0xfe}}
		cert, _, err := a.issue(want, wall)
		if err != nil {
			t.Fatalf("%q: %v", cluster, err)
		}
		if got, err := whoseOf(cert); err != nil || got != want {
			t.Errorf("%q: %+v, %v", cluster, got, err)
		}
	}
	if _, err := whoseOf(a.cert); err == nil {
		t.Error("the authority's certificate names a node")
	}
	for _, bad := range []string{"", "~", "~4", "~zz", "a.b", "~61", "~2D"} {
		if got, ok := unescape(bad); ok {
			t.Errorf("%q is taken for %q", bad, got)
		}
	}
}

func TestClusterIDsThatATokenCannotCarryAreRefused(t *testing.T) {
	for _, cluster := range []string{"", strings.Repeat("x", 256)} {
		f := vfs.NewMem(0)
		if err := f.MkdirAll("/d", 0o755); err != nil {
			t.Fatal(err)
		}
		if _, err := Found(f, "/d", Whose{ClusterID: cluster, NodeID: 1, DirectoryID: uuid.UUID{1}}, wall); err == nil {
			t.Errorf("a cluster id of %d bytes is taken", len(cluster))
		}
	}
}

// What is said of a certificate that is not taken tells what to do.
func TestStrangersAreToldApart(t *testing.T) {
	id := founded(t)
	other := founded(t)
	for name, tc := range map[string]struct {
		shown *Identity
		now   time.Time
		want  string
	}{
		"another authority":                     {other, wall, "another authority"},
		"another cluster":                       {other.of(t, Whose{"D", 4, uuid.UUID{4}}), wall, "node 4 of cluster D is not of this cluster, C"},
		"too old":                               {id.of(t, whose(2)), wall.AddDate(21, 0, 0), "the clock here says 2047"},
		"too young":                             {id.of(t, whose(2)), wall.AddDate(0, 0, -3), "the clock here says 2026-11-22"},
		"our authority, another cluster's name": {id.of(t, Whose{"D", 4, uuid.UUID{4}}), wall, "is not of this cluster"},
	} {
		_, err := id.prove(tc.shown.certs(), tc.now)
		var r *Refused
		if !errors.As(err, &r) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q in it", name, err, tc.want)
		}
	}
	if _, err := id.prove(nil, wall); err == nil {
		t.Error("nothing shown is taken")
	}
	if got, err := id.prove(id.of(t, whose(7)).certs(), wall); err != nil || got != whose(7) {
		t.Errorf("node 7 is %v, %v", got, err)
	}
	if got, err := id.prove(id.of(t, whose(7)).certs(), wall.Add(-23*time.Hour)); err != nil || got != whose(7) {
		t.Errorf("node 7, to a clock 23 hours behind, is %v, %v", got, err)
	}
}
