package jsonwalk_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"ottla/internal/event/jsonwalk"
)

// texts are JSON and what nearly is.
var texts = []string{
	`{}`, `[]`, `{"a":1}`, ` {"a" : [1, 2.5e-3 , "x\u00e9\n"], "b":{"c":null}} `, `"a"`, `true`, `-0.1`, `{"a":1,"a":2}`, `[[],[{}]]`,
	``, ` `, `{`, `{"a"}`, `{"a":1,}`, `{"a":1, }`, `[1,]`, `[1 2]`, `{"a":1}x`, `01`, `tru`, `"\x"`, "\"\n\"", `{"a":}`, `{1:2}`, `nul`, `-`, `1.`, `{,}`, `[,]`,
	`{"é\"":"\ud83d\ude00"}`,
}

func TestWhatIsJSONIsWhatTheLibraryTakes(t *testing.T) {
	for _, text := range texts {
		if got, want := jsonwalk.Valid([]byte(text), 0), json.Valid([]byte(text)); got != want {
			t.Errorf("Valid(%q) = %v, want %v", text, got, want)
		}
	}
	deep := strings.Repeat("[", 512) + strings.Repeat("]", 512)
	if !jsonwalk.Valid([]byte(deep), 0) || jsonwalk.Valid([]byte("["+deep+"]"), 0) || jsonwalk.Valid([]byte(deep), 1) {
		t.Error("the bound on depth is not 512")
	}
}

func TestMembersAndElementsAreThoseOfTheLibrary(t *testing.T) {
	for _, text := range texts {
		checkParts(t, []byte(text))
	}
}

// checkParts compares with encoding/json.
func checkParts(t *testing.T, text []byte) {
	t.Helper()
	got := map[string]string{}
	ok := jsonwalk.Members(text, func(name string, value []byte) bool {
		got[name] = string(value)
		return true
	})
	var want map[string]json.RawMessage
	if err := json.Unmarshal(text, &want); (err == nil && want != nil) != ok {
		t.Fatalf("Members(%q) = %v, encoding/json: %v", text, ok, err)
	}
	if ok && utf8.Valid(text) {
		for name, value := range want {
			if got[name] != string(value) {
				t.Errorf("member %q of %q is %q, want %q", name, text, got[name], value)
			}
		}
	}
	var list []string
	ok = jsonwalk.Elements(text, func(value []byte) bool {
		list = append(list, string(value))
		return true
	})
	var wantList []json.RawMessage
	if err := json.Unmarshal(text, &wantList); (err == nil && wantList != nil) != ok {
		t.Fatalf("Elements(%q) = %v, encoding/json: %v", text, ok, err)
	}
	if ok && len(list) != len(wantList) {
		t.Errorf("%d elements in %q, want %d", len(list), text, len(wantList))
	}
}

func TestAStringIsReadAsItWasWritten(t *testing.T) {
	for _, text := range []string{"", "plain", "a\"b\\c\n\r\t\x00\x1f", "é 😀", "</script>"} {
		b := jsonwalk.AppendString(nil, text)
		var lib string
		if err := json.Unmarshal(b, &lib); err != nil || lib != text {
			t.Errorf("encoding/json reads %q of %q: %v", lib, text, err)
		}
		if got, ok := jsonwalk.String(b); !ok || got != text {
			t.Errorf("String(%s) = %q, %v", b, got, ok)
		}
	}
}

// What is to be escaped is found wherever it stands, and nothing else is.
func TestEachByteIsEscapedWhereverItStands(t *testing.T) {
	for size := range 20 {
		for at := range size {
			for c := range 256 {
				text := bytes.Repeat([]byte("é!"), size)[:size]
				text[at] = byte(c)
				want := []byte{'"'}
				for i := range text {
					want = append(want, escaped(text[i])...)
				}
				want = append(want, '"')
				if got := jsonwalk.AppendString(nil, text); !bytes.Equal(got, want) {
					t.Fatalf("%q is %s, want %s", text, got, want)
				}
				if got := jsonwalk.AppendString(nil, string(text)); !bytes.Equal(got, want) {
					t.Fatalf("%q as a string is %s, want %s", text, got, want)
				}
			}
		}
	}
}

// escaped is one byte of a string of JSON.
func escaped(c byte) string {
	switch {
	case c == '"' || c == '\\':
		return "\\" + string(rune(c))
	case c == '\n':
		return `\n`
	case c == '\r':
		return `\r`
	case c == '\t':
		return `\t`
	case c < ' ':
		return fmt.Sprintf(`\u%04x`, c)
	}
	return string([]byte{c})
}

func FuzzWalk(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if bytes.Count(text, []byte("[")) > 500 || bytes.Count(text, []byte("{")) > 500 {
			return // the bounds on depth differ
		}
		if got, want := jsonwalk.Valid(text, 0), json.Valid(text); got != want {
			t.Fatalf("Valid(%q) = %v, want %v", text, got, want)
		}
		checkParts(t, text)
		if utf8.Valid(text) {
			if got, ok := jsonwalk.String(jsonwalk.AppendString(nil, text)); !ok || got != string(text) {
				t.Fatalf("%q came back as %q", text, got)
			}
		}
	})
}
