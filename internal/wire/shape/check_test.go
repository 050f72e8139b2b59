package shape

import (
	"encoding/binary"
	"math/rand"
	"reflect"
	"runtime"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/wire"
)

// fill sets every exported field of v at random, so that encodings meet nulls,
// empty and full arrays.
func fill(r *rand.Rand, v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.IsExported() && f.Name != "Version" && f.Name != "UnknownTags" {
				fill(r, v.Field(i), depth)
			}
		}
	case reflect.Slice:
		n := r.Intn(4)
		if v.Type().Elem().Kind() != reflect.Uint8 && n == 3 {
			n = 0
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(r, v.Index(i), depth+1)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i), depth)
		}
	case reflect.Pointer:
		if r.Intn(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem(), depth)
		} else {
			v.SetZero()
		}
	case reflect.String:
		v.SetString("abcdefghijklmnopqrstuvwxyz"[:r.Intn(12)])
	case reflect.Bool:
		v.SetBool(r.Intn(2) == 0)
	case reflect.Float64:
		v.SetFloat(r.NormFloat64())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(r.Intn(200)))
	default:
		if v.CanInt() {
			v.SetInt(int64(r.Intn(120)))
		}
	}
}

// everyRequest calls fn for several random requests of each key and version.
func everyRequest(fn func(key, version int16, body []byte)) {
	r := rand.New(rand.NewSource(1))
	for _, api := range wire.APIs() {
		for v := api.Min; v <= api.Max; v++ {
			for range 12 {
				req := kmsg.RequestForKey(api.Key)
				fill(r, reflect.ValueOf(req).Elem(), 0)
				req.SetVersion(v)
				fn(api.Key, v, req.AppendTo(nil))
			}
		}
	}
}

func TestEveryRequestOfEveryVersionPasses(t *testing.T) {
	n := 0
	everyRequest(func(key, version int16, body []byte) {
		n++
		if err := Check(key, version, body); err != nil {
			t.Errorf("%s v%d refused: %v\n%x", wire.LookupAPI(key).Name, version, err, body)
		}
	})
	if n < 2000 {
		t.Fatalf("only %d requests were tried", n)
	}
}

// A walk that takes another path than the encoder would stop short of the end
// or past it, so each proper prefix must fail and the whole end exactly.
func TestEveryTruncatedRequestFails(t *testing.T) {
	everyRequest(func(key, version int16, body []byte) {
		for cut := range len(body) {
			if Check(key, version, body[:cut]) == nil {
				t.Fatalf("%s v%d: %d of %d bytes passed\n%x", wire.LookupAPI(key).Name, version, cut, len(body), body)
			}
		}
	})
}

func TestBytesAfterTheBodyAreLeftAlone(t *testing.T) {
	req := kmsg.NewPtrMetadataRequest()
	req.SetVersion(9)
	if err := Check(3, 9, append(req.AppendTo(nil), 1, 2, 3)); err != nil {
		t.Fatal(err)
	}
}

func TestHostileBodiesAreRefused(t *testing.T) {
	flex := func(b ...byte) []byte { return b }
	manyTags := binary.AppendUvarint(flex(1, 0, 0, 0), 300_000)
	for range 300_000 {
		manyTags = append(manyTags, 99, 0)
	}
	lean := binary.AppendUvarint(nil, 200_001)
	for range 200_000 {
		lean = append(lean, 1, 1, 0) // topics without names, partitions or tags
	}
	lean = append(lean, 0, 0, 0, 0, 0)
	tests := []struct {
		name         string
		key, version int16
		body         []byte
		reason       string
	}{
		{"empty", 19, 7, nil, reasonShort},
		{"2^31-1 topics in four bytes", 19, 4, flex(0x7f, 0xff, 0xff, 0xff), reasonCount},
		{"2^31 compact topics", 19, 7, flex(0x80, 0x80, 0x80, 0x80, 0x08), reasonCount},
		{"varint without end", 19, 7, flex(0xff, 0xff, 0xff, 0xff, 0xff, 0xff), reasonShort},
		{"null topics", 19, 4, flex(0xff, 0xff, 0xff, 0xff), reasonNull},
		{"string past the end", 10, 0, flex(0x7f, 0xff, 'a'), reasonShort},
		{"negative string length", 10, 0, flex(0xff, 0xfe), reasonLength},
		{"a million tags", 3, 9, manyTags, reasonMemory},
		{"more tags than bytes", 3, 9, flex(0, 0, 0, 0, 0x80, 0x80, 0x04), reasonBadTag},
		{"lean structs", 37, 3, lean, reasonCount},
		{"known tag twice", 1, 12, fetchWithTags(0, 1, 0, 1), reasonTwice},
		{"known tag with a rest", 1, 12, fetchWithTags(0, 2), reasonTag},
		{"no such version", 3, 99, nil, reasonNoShape},
		{"no such key", 999, 0, nil, reasonNoShape},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			err, _ := Check(tc.key, tc.version, tc.body).(*Error)
			if err == nil || err.Reason != tc.reason {
				t.Fatalf("got %v, want reason %q", err, tc.reason)
			}
		})
	}
}

// fetchWithTags makes a Fetch v12 with an empty body and tags given as pairs
// of tag and size (the payload is a null string and zeros).
func fetchWithTags(pairs ...byte) []byte {
	req := kmsg.NewPtrFetchRequest()
	req.SetVersion(12)
	b := req.AppendTo(nil)
	b = append(b[:len(b)-1], byte(len(pairs)/2))
	for i := 0; i < len(pairs); i += 2 {
		b = append(b, pairs[i], pairs[i+1])
		b = append(b, make([]byte, pairs[i+1])...)
	}
	return b
}

func TestCheckAllocatesNothing(t *testing.T) {
	req := kmsg.NewPtrMetadataRequest()
	req.SetVersion(13)
	for _, n := range []string{"orders", "payments"} {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = &n
		req.Topics = append(req.Topics, topic)
	}
	body := req.AppendTo(nil)
	got := testing.AllocsPerRun(200, func() {
		if err := Check(3, 13, body); err != nil {
			t.Fatal(err)
		}
	})
	if got != 0 {
		t.Fatalf("%v allocations a check, want 0", got)
	}
}

func TestParseShapesNamesTheBadLine(t *testing.T) {
	for text, want := range map[string]string{
		"1 X 0-1\n  A nosuch\n":    `shapes line 2: type "nosuch" does not fit`,
		"  A int32\n":              "shapes line 1: a field outside a request",
		"1 X 0-1\n}\n":             "shapes line 2: closes nothing",
		"1 X\n":                    `shapes line 1: want KEY NAME VERSIONS, got ["1" "X"]`,
		"1 X 0-1\n  A int32 {\n":   `shapes line 2: type "int32" does not fit`,
		"1 X 0-1\n  tag q A bool":  `shapes line 2: tag: strconv.Atoi: parsing "q": invalid syntax`,
		"1 X 0-1\n  A bool nine\n": `shapes line 2: versions "nine": strconv.ParseInt: parsing "nine": invalid syntax`,
	} {
		if _, err := parseShapes(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

// FuzzCheckThenDecode holds the promise that a body which passes decodes to a
// small multiple of its size, and that neither step panics.
func FuzzCheckThenDecode(f *testing.F) {
	n := 0
	everyRequest(func(key, version int16, body []byte) {
		if n++; n%16 == 0 {
			f.Add(key, version, body)
		}
	})
	f.Fuzz(func(t *testing.T, key, version int16, body []byte) {
		api := wire.LookupAPI(key)
		if api == nil || !api.Supports(version) || Check(key, version, body) != nil {
			return
		}
		req := kmsg.RequestForKey(key)
		req.SetVersion(version)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := req.ReadFrom(body)
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatalf("%s v%d passed and does not decode: %v\n%x", api.Name, version, err, body)
		}
		limit := uint64(len(body)*(maxGrowth+4) + 2*freeBytes)
		if got := after.TotalAlloc - before.TotalAlloc; got > limit {
			t.Fatalf("%s v%d: %d bytes decoded into %d, limit %d", api.Name, version, len(body), got, limit)
		}
	})
}
