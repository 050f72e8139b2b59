package protocol

import "testing"

// scanned reads itself, but for one of its fields.
type scanned struct {
	A, B string
	C    *int64
}

func (x *scanned) ScanJSON(s *Scanner) {
	for name := range s.Fields() {
		switch string(name) {
		case "A":
			x.A = s.Text()
		case "C":
			n := s.Number()
			x.C = &n
		default:
			s.GiveUp()
		}
	}
}

func TestWhatIsGivenUpIsReadByReflectionFromNothing(t *testing.T) {
	for body, want := range map[string]scanned{
		`{"A":"1","B":"2"}`:       {A: "1", B: "2"},
		`{"C":7,"C":null}`:        {},
		`{"a":"1"}`:               {A: "1"},
		``:                        {},
		`{"A":"\ud83d\ude42"}`:    {A: "\U0001f642"},
		`{"X":{"A":"1"}}`:         {},
		` {"A" : "\u0041\\\"" } `: {A: `A\"`},
	} {
		var got scanned
		if err := unmarshal([]byte(body), &got); err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", body, got, err, want)
		}
	}
	for _, body := range []string{`{"C":1.5}`, `{"A":1}`, `{"A":"1"`, `{"A":"1"}}`, "{\"A\":\"\xff\"}", `x`} {
		if err := unmarshal([]byte(body), new(scanned)); err == nil {
			t.Errorf("%q was read", body)
		}
	}
}
