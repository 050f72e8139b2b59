package record

import (
	"fmt"
	"reflect"
	"testing"
)

func TestRecompressKeepsEverythingButTheCodec(t *testing.T) {
	want := assorted()
	for _, from := range codecs {
		src := craft(from, int32(len(want)), foreign(t, from, raw(want...)), func(h *Header) {
			h.BaseOffset, h.LeaderEpoch, h.ProducerID, h.ProducerEpoch, h.BaseSequence = 70, 4, 9, 1, 30
			h.Attributes |= bitTransactional
		})
		before, err := ParseHeader(src)
		if err != nil {
			t.Fatal(err)
		}
		for _, to := range codecs {
			levels := []int{0}
			if from == None {
				levels = []int{0, 1, 3, 9, 17, -5}
			}
			for _, level := range levels {
				got, err := Recompress(src, to, level, 0)
				if err != nil {
					t.Fatalf("%s to %s at level %d: %v", from, to, level, err)
				}
				h, err := ParseHeader(got)
				if err != nil || !VerifyCRC(got) || h.Codec() != to || h.Size() != len(got) {
					t.Fatalf("%s to %s at level %d: %+v, %v", from, to, level, h, err)
				}
				h.Length, h.CRC, h.Attributes = before.Length, before.CRC, before.Attributes
				if h != before {
					t.Errorf("%s to %s: header %+v, want %+v", from, to, h, before)
				}
				if records := collect(t, got); !reflect.DeepEqual(records, want) {
					t.Errorf("%s to %s at level %d: the records changed", from, to, level)
				}
			}
		}
	}
}

func TestLevelsCompressHarder(t *testing.T) {
	src := textBatch(None, 40, 4000)
	for codec, levels := range map[Codec][2]int{Gzip: {1, 9}, LZ4: {9, 17}, Zstd: {1, 19}} {
		fast, err := Recompress(src, codec, levels[0], 0)
		if err != nil {
			t.Fatal(err)
		}
		small, err := Recompress(src, codec, levels[1], 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(small) >= len(fast) || len(fast) >= len(src) {
			t.Errorf("%s: %d bytes plain, %d at level %d, %d at level %d", codec, len(src), len(fast), levels[0], len(small), levels[1])
		}
	}
}

func TestRecompressRefuses(t *testing.T) {
	good := textBatch(Gzip, 10, 1000)
	for name, c := range map[string]struct {
		b       []byte
		to      Codec
		opened  int
		largest int
		want    Kind
	}{
		"unknown codec":             {good, 5, 0, 0, KindInvalid},
		"no batch":                  {good[:20], LZ4, 0, 0, KindCorrupt},
		"cut batch":                 {good[:90], LZ4, 0, 0, KindCorrupt},
		"opens to too much":         {good, LZ4, 5000, 0, KindInvalid},
		"garbage":                   {craft(Gzip, 1, []byte("garbage"), nil), LZ4, 0, 0, KindInvalid},
		"plain is too large":        {good, None, 0, 9000, KindTooLarge},
		"lz4 is too large":          {good, LZ4, 0, 900, KindTooLarge},
		"snappy is too large":       {good, Snappy, 0, 900, KindTooLarge},
		"gzip is too large":         {good, Gzip, 0, 900, KindTooLarge},
		"zstd is too large":         {good, Zstd, 0, 900, KindTooLarge},
		"zstd is just small enough": {good, Zstd, 0, 9000, 0},
	} {
		if _, err := RecompressWithin(c.b, c.to, 0, c.opened, c.largest); kindOf(t, err) != c.want {
			t.Errorf("%s: %v, want kind %d", name, err, c.want)
		}
	}
}

func TestBuilderCompresses(t *testing.T) {
	for _, codec := range codecs {
		b := textBatch(codec, 50, 2000)
		h, err := ParseHeader(b)
		if err != nil || h.Codec() != codec || !VerifyCRC(b) {
			t.Errorf("%s: %+v, %v", codec, h, err)
		}
		if n := len(collect(t, b)); n != 50 {
			t.Errorf("%s: %d records, want 50", codec, n)
		}
	}
	b := NewBuilder()
	b.Codec = 6
	b.Add(0, nil, []byte("v"))
	if h, err := ParseHeader(b.Build(0)); err != nil || h.Codec() != None {
		t.Errorf("a codec that does not exist: %+v, %v, want the records plain", h, err)
	}
}

func BenchmarkRecompress(b *testing.B) {
	for _, shape := range [][2]int{{150, 100}, {500, 1 << 10}, {10, 100 << 10}} {
		src := textBatch(None, shape[0], shape[1])
		for _, to := range codecs {
			b.Run(fmt.Sprintf("%s/%dx%d", to, shape[0], shape[1]), func(b *testing.B) {
				b.SetBytes(int64(len(src)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := Recompress(src, to, 0, 0); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkWalk(b *testing.B) {
	for _, codec := range codecs {
		batch := textBatch(codec, 500, 1<<10)
		b.Run(codec.String(), func(b *testing.B) {
			b.SetBytes(500 << 10)
			b.ReportAllocs()
			for b.Loop() {
				if err := Walk(batch, 0, func(*Record) bool { return true }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBuild(b *testing.B) {
	for _, shape := range [][2]int{{150, 100}, {500, 1 << 10}, {10, 100 << 10}} {
		b.Run(fmt.Sprintf("%dx%d", shape[0], shape[1]), func(b *testing.B) {
			value, build := text(1, shape[1]), NewBuilder()
			b.SetBytes(int64(shape[0] * shape[1]))
			b.ReportAllocs()
			for b.Loop() {
				for i := range shape[0] {
					build.Add(int64(i), nil, value)
				}
				build.Build(0)
			}
		})
	}
}
