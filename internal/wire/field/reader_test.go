package field

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"testing"
)

func read(t *testing.T, s string) *Reader {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return &Reader{Rest: b}
}

func TestFieldsAreTakenInBothForms(t *testing.T) {
	text := func(s *string) string {
		if s == nil {
			return "null"
		}
		return fmt.Sprintf("%q", *s)
	}
	for _, c := range []struct {
		bytes string
		take  func(r *Reader) string
		want  string
	}{
		{"80", func(r *Reader) string { return fmt.Sprint(r.Int8()) }, "-128"},
		{"7fff", func(r *Reader) string { return fmt.Sprint(r.Int16()) }, "32767"},
		{"ffffffff", func(r *Reader) string { return fmt.Sprint(r.Int32()) }, "-1"},
		{"8000000000000000", func(r *Reader) string { return fmt.Sprint(r.Int64()) }, fmt.Sprint(math.MinInt64)},
		{"ffffffff07", func(r *Reader) string { return fmt.Sprint(r.Uvarint()) }, fmt.Sprint(math.MaxInt32)},
		{"036162", func(r *Reader) string { return r.Text(true) }, "ab"},
		{"00026162", func(r *Reader) string { return r.Text(false) }, "ab"},
		{"01", func(r *Reader) string { return text(r.MaybeText(true)) }, `""`},
		{"00", func(r *Reader) string { return text(r.MaybeText(true)) }, "null"},
		{"ffff", func(r *Reader) string { return text(r.MaybeText(false)) }, "null"},
		{"0361ff", func(r *Reader) string { return fmt.Sprintf("%x", r.Bytes(true)) }, "61ff"},
		{"0000000261ff", func(r *Reader) string { return fmt.Sprintf("%x", r.Bytes(false)) }, "61ff"},
		{"03aabb", func(r *Reader) string { return fmt.Sprint(r.Count(true, 1), len(r.Take(2))) }, "2 2"},
		{"00000001aabb", func(r *Reader) string { return fmt.Sprint(r.Count(false, 2), len(r.Take(2))) }, "1 2"},
		{"ffffffff", func(r *Reader) string { return fmt.Sprint(r.MaybeCount(false, 1)) }, "0"},
		{"00", func(r *Reader) string { return fmt.Sprint(r.MaybeCount(true, 1)) }, "0"},
		{"02aa", func(r *Reader) string { return fmt.Sprint(r.MaybeCount(true, 1), len(r.Take(1))) }, "1 1"},
		{"0207026162000090", func(r *Reader) string {
			all := ""
			r.Tags(func(tag int, b []byte) { all += fmt.Sprintf("%d=%s ", tag, b) })
			return all + fmt.Sprint(r.Int8())
		}, "7=ab 0= -112"},
		{"0101026162", func(r *Reader) string { r.Tags(nil); return "passed" }, "passed"},
	} {
		r := read(t, c.bytes)
		if got := c.take(r); got != c.want || r.Err != nil || len(r.Rest) != 0 {
			t.Errorf("%s: got %s with %d bytes left, %v; want %s", c.bytes, got, len(r.Rest), r.Err, c.want)
		}
	}
}

func TestWhatCannotBeIsAnErrorAndThenZeros(t *testing.T) {
	for _, c := range []struct {
		bytes string
		take  func(r *Reader)
		want  error
	}{
		{"", func(r *Reader) { r.Int8() }, ErrShort},
		{"00", func(r *Reader) { r.Int16() }, ErrShort},
		{"000000", func(r *Reader) { r.Int32() }, ErrShort},
		{"00000000000000", func(r *Reader) { r.Int64() }, ErrShort},
		{"", func(r *Reader) { r.Take(-1) }, ErrShort},
		{"ff", func(r *Reader) { r.Uvarint() }, ErrLength},
		{"ffffffff08", func(r *Reader) { r.Uvarint() }, ErrLength},
		{"00", func(r *Reader) { r.Text(true) }, ErrLength},
		{"ffff", func(r *Reader) { r.Text(false) }, ErrLength},
		{"0009aa", func(r *Reader) { r.Text(false) }, ErrShort},
		{"fffe", func(r *Reader) { r.MaybeText(false) }, ErrShort},
		{"ffffffff", func(r *Reader) { r.Bytes(false) }, ErrLength},
		{"05aa", func(r *Reader) { r.Bytes(true) }, ErrShort},
		{"ffffffff", func(r *Reader) { r.Count(false, 1) }, ErrLength},
		{"00", func(r *Reader) { r.Count(true, 1) }, ErrLength},
		{"7fffffffaaaa", func(r *Reader) { r.Count(false, 1) }, ErrLength},
		{"03aabb", func(r *Reader) { r.Count(true, 2) }, ErrLength},
		{"03aabb", func(r *Reader) { r.MaybeCount(true, 2) }, ErrLength},
		{"fffffffe", func(r *Reader) { r.MaybeCount(false, 1) }, ErrLength},
		{"02000161", func(r *Reader) { r.Tags(nil) }, ErrLength}, // the second is missing
		{"010009", func(r *Reader) { r.Tags(nil) }, ErrShort},
	} {
		r := read(t, c.bytes)
		c.take(r)
		if !errors.Is(r.Err, c.want) {
			t.Errorf("%s: got %v, want %v", c.bytes, r.Err, c.want)
		}
		left := len(r.Rest)
		if r.Int8() != 0 || r.Int16() != 0 || r.Int32() != 0 || r.Int64() != 0 || r.Uvarint() != 0 || r.Text(true) != "" || r.MaybeText(true) != nil ||
			len(r.Bytes(true)) != 0 || r.Count(true, 1) != 0 || r.MaybeCount(true, 1) != 0 || !errors.Is(r.Err, c.want) || len(r.Rest) != left {
			t.Errorf("%s: after the error something is taken, or another error is told: %v", c.bytes, r.Err)
		}
		r.Tags(func(int, []byte) { t.Errorf("%s: a tag is visited after the error", c.bytes) })
	}
}

func TestAVisitMayRefuseAField(t *testing.T) {
	refused := errors.New("refused")
	r, seen := read(t, "030001aa0101bb0201cc"), 0
	r.TagsOr(func(tag int, _ []byte) error {
		if seen++; tag == 1 {
			return refused
		}
		return nil
	})
	if seen != 2 || !errors.Is(r.Err, refused) {
		t.Errorf("%d fields were visited, %v", seen, r.Err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte{3, 'a', 'b', 0, 2, 1, 1, 7}, uint64(0x123456789abcdef))
	f.Fuzz(func(t *testing.T, b []byte, script uint64) {
		r := &Reader{Rest: b}
		for ; script != 0; script >>= 4 {
			flexible, before := script&8 != 0, len(r.Rest)
			switch script & 7 {
			case 0:
				r.Int64()
			case 1:
				r.Text(flexible)
			case 2:
				r.MaybeText(flexible)
			case 3:
				if n := len(r.Bytes(flexible)); n > before {
					t.Fatalf("%d bytes out of %d", n, before)
				}
			case 4:
				if n := r.Count(flexible, 2); 2*n > before {
					t.Fatalf("%d elements of two bytes in %d", n, before)
				}
			case 5:
				if n := r.MaybeCount(flexible, 1); n > before {
					t.Fatalf("%d elements in %d bytes", n, before)
				}
			case 6:
				r.Tags(func(_ int, b []byte) {
					if len(b) > before {
						t.Fatalf("a tag of %d bytes in %d", len(b), before)
					}
				})
			case 7:
				r.Int16()
			}
			if len(r.Rest) > before {
				t.Fatal("there is more than before")
			}
		}
	})
}
