package lead

import (
	"errors"
	"testing"

	"ottla/internal/log"
	"ottla/internal/record"
)

// batchesOf are batches of one record each, with these values.
func batchesOf(values ...string) (all []byte, each [][]byte) {
	for i, v := range values {
		b := record.NewBuilder()
		b.Add(0, nil, []byte(v))
		each = append(each, b.Build(int64(i)))
		all = append(all, each[i]...)
	}
	return all, each
}

// reading is a reader that has a buffer already.
func reading(t *testing.T, buf []byte, at int64, batch []byte) *reader {
	t.Helper()
	h, err := record.ParseHeader(batch)
	if err != nil {
		t.Fatal(err)
	}
	return &reader{slice: &log.Slice{Len: len(buf)}, buf: buf, bufAt: at, head: h}
}

func TestWhatWasLearnedIsFoundInMemoryWhileItIsThere(t *testing.T) {
	all, each := batchesOf("a", "bb", "ccc")
	var f fresh
	end := 0
	for i, b := range each {
		end += len(b)
		f.note(reading(t, all, 0, b), int64(i), int64(i), end)
	}
	f.end(reading(t, all, 0, each[2]), nil)
	for i, want := range each {
		got := f.find(int64(i))
		if string(got.bytes) != string(want) || got.first != int64(i) || got.last != int64(i) {
			t.Errorf("offset %d: got %d to %d, %q, want %q", i, got.first, got.last, got.bytes, want)
		}
		if len(got.bytes) > 0 && &got.bytes[0] == &all[0] {
			t.Error("what is found is no copy")
		}
	}
	if got := f.find(3); got.bytes != nil {
		t.Errorf("an offset that was not learned has %q", got.bytes)
	}
	// The buffer has moved on to the last batch.
	from := int64(len(each[0]) + len(each[1]))
	f.note(reading(t, each[2], from, each[2]), 2, 2, len(all))
	if f.find(0).bytes != nil || string(f.find(2).bytes) != string(each[2]) {
		t.Errorf("a buffer that moved: got %q and %q", f.find(0).bytes, f.find(2).bytes)
	}
	// A large batch, of which the buffer has a part.
	f.note(reading(t, each[2][:20], from, each[2]), 2, 2, len(all))
	f.spots = f.spots[len(f.spots)-1:]
	if got := f.find(2); got.bytes != nil {
		t.Errorf("a batch that is there in part: %q", got.bytes)
	}
}

func TestWhatALookHasOverwrittenIsForgotten(t *testing.T) {
	all, each := batchesOf("a", "bb")
	for name, end := range map[string]func(f *fresh, r *reader){
		"the buffer moved on": func(f *fresh, r *reader) { r.bufAt = int64(len(each[0])); f.end(r, nil) },
		"it could not":        func(f *fresh, r *reader) { f.end(r, errors.New("the disk")) },
	} {
		var f fresh
		r := reading(t, all, 0, each[0])
		f.note(r, 0, 0, len(each[0]))
		if end(&f, r); f.find(0).bytes != nil {
			t.Errorf("%s: it is still found", name)
		}
	}
}
