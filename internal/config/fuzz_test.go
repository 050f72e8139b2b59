package config

import (
	"strings"
	"testing"
)

// FuzzFile: whatever a settings file holds, reading it ends in settings or in
// an error that names the file; every setting has a place inside the file.
func FuzzFile(f *testing.F) {
	for _, seed := range []string{
		"num.partitions: 3\nlog:\n  dirs: [/a, /b]\n", "num.partitions=3\\\n4\nx y\n", "a: &b c\n? d\n", "!c\n#d\n\\u0041=\\uD83D\\uDE00",
		"log.dirs: |\n  /a\n  /b\n", "- - - x", "{a: {b: [1, 2.5, true, null]}}", "\"a\\nb\": 'c'", "%YAML 1.2\n---\na: b", "a:\n\tb: c", "\xff\xfe",
	} {
		f.Add("server.properties", seed)
		f.Add("ottla.yaml", seed)
		f.Add("conf", seed)
	}
	f.Fuzz(func(t *testing.T, name, content string) {
		if len(content) > 1<<12 {
			return
		}
		l, err := File(name, []byte(content))
		lines := len(splitLines(content))
		if err != nil {
			if !strings.Contains(err.Error(), name) && !strings.Contains(err.Error(), "set") {
				t.Errorf("%q: the error names no file: %v", content, err)
			}
			return
		}
		for _, s := range l.Settings {
			if s.From.Line < 1 || s.From.Line > lines || s.From.Col < 0 || s.From.What != name {
				t.Errorf("%q: %s stands at %s", content, s.Name, s.From)
			}
		}
		_, r, err := Load(l)
		if r == nil || err == nil && r.String() == "" {
			t.Errorf("%q: no report", content)
		}
	})
}

// FuzzCheck: a value that passes is in normal form (passing again changes
// nothing), and its typed readings do not panic.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"1", "-1", " 5 ", "true", "a,b", "1e300", "0:1,1:2", "by_duration:PT1H", "client_id=a", "99999999999999999999", "", "7d", "64MiB"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, s := range scopes {
			for _, d := range All(s) {
				if plain, err := d.withoutUnit(value); err == nil && (d.takesSpan() || d.takesSize()) && plain != value && strings.ContainsAny(plain, "dhmwKMG") {
					t.Fatalf("%s: %q became %q", d.Name, value, plain)
				}
				normal, err := d.Check(value)
				if err != nil {
					continue
				}
				if again, err := d.Check(normal); err != nil || again != normal {
					t.Fatalf("%s: %q gives %q, which gives %q, %v", d.Name, value, normal, again, err)
				}
				if set := topicFields[d.Name]; s == ScopeTopic && set != nil {
					set(&Topic{}, normal)
				}
			}
		}
	})
}

// FuzzListeners: listeners that are accepted can be written down and read again.
func FuzzListeners(f *testing.F) {
	for _, seed := range []string{"PLAINTEXT://:9092", "a://[::1]:0,b://h:1", "x", "://:1", "A://h:99999", "PLAINTEXT://0.0.0.0:1"} {
		f.Add(seed, "PLAINTEXT:PLAINTEXT,A:SSL,B:PLAINTEXT")
	}
	f.Fuzz(func(t *testing.T, listeners, protocols string) {
		s := &Static{values: map[string]Setting{"listeners": {Value: listeners}, "listener.security.protocol.map": {Value: protocols}}}
		listen, _, err := s.Listeners()
		if err != nil {
			return
		}
		for _, l := range listen {
			again, err := parseListener(l.String())
			if err != nil || again.Name != l.Name || again.Host != l.Host || again.Port != l.Port {
				t.Errorf("%q: %s reads as %+v, %v", listeners, l, again, err)
			}
		}
	})
}
