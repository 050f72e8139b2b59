package record

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"testing"

	kgzip "github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// own compresses with our packer.
func own(t testing.TB, codec Codec, b []byte) []byte {
	t.Helper()
	p, err := newPacker(codec, 0, nil, MaxDecompressed)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	if err := p.write(b); err != nil {
		t.Fatal(err)
	}
	out, err := p.finish()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// openAll opens everything at once.
func openAll(codec Codec, payload []byte, limit int) ([]byte, error) {
	o, err := newOpener(codec, payload, limit, true)
	if err != nil {
		return nil, err
	}
	defer o.close()
	var all []byte
	for {
		if all, err = o.next(all); err == io.EOF {
			return all, nil
		} else if err != nil {
			return nil, err
		}
	}
}

var contentSizes = []int{0, 1, 7, 100, 4 << 10, 32<<10 - 1, 32 << 10, 64 << 10, 64<<10 + 1, 300 << 10, 3 << 20}

func TestForeignCompressionIsOpened(t *testing.T) {
	for _, size := range contentSizes {
		content := text(1, size)
		forms := map[string]struct {
			codec   Codec
			payload []byte
		}{
			"gzip":             {Gzip, foreign(t, Gzip, content)},
			"gzip two members": {Gzip, append(foreign(t, Gzip, content[:size/2]), foreign(t, Gzip, content[size/2:])...)},
			"snappy raw":       {Snappy, s2.EncodeSnappy(nil, content)},
			"snappy best":      {Snappy, s2.EncodeSnappyBest(nil, content)},
			"snappy xerial":    {Snappy, own(t, Snappy, content)},
			"snappy xerial twice": {Snappy, append(own(t, Snappy, content[:size/2]),
				own(t, Snappy, content[size/2:])...)},
			"zstd stream": {Zstd, foreign(t, Zstd, content)},
			"zstd size known": {Zstd, func() []byte {
				e, _ := zstd.NewWriter(nil)
				return e.EncodeAll(content, nil)
			}()},
			"zstd two frames": {Zstd, append(foreign(t, Zstd, content[:size/2]), foreign(t, Zstd, content[size/2:])...)},
		}
		for _, block := range []lz4.BlockSize{lz4.Block64Kb, lz4.Block256Kb, lz4.Block1Mb, lz4.Block4Mb} {
			for _, sums := range []bool{false, true} {
				var out bytes.Buffer
				w := lz4.NewWriter(&out)
				if err := w.Apply(lz4.BlockSizeOption(block), lz4.ChecksumOption(sums), lz4.BlockChecksumOption(sums), lz4.SizeOption(uint64(size))); err != nil {
					t.Fatal(err)
				}
				must(t, w, content)
				forms[fmt.Sprintf("lz4 %v sums %v", block, sums)] = struct {
					codec   Codec
					payload []byte
				}{LZ4, out.Bytes()}
			}
		}
		for name, f := range forms {
			got, err := openAll(f.codec, f.payload, 0)
			if size == 0 && len(f.payload) == 0 {
				if err == nil {
					t.Errorf("%s: nothing was opened to something", name)
				}
			} else if err != nil || !bytes.Equal(got, content) {
				t.Errorf("%s of %d bytes: %d bytes, %v", name, size, len(got), err)
			}
		}
	}
}

func TestOthersReadWhatWeCompress(t *testing.T) {
	readers := map[Codec]func(b []byte) ([]byte, error){
		Gzip: func(b []byte) ([]byte, error) {
			r, err := kgzip.NewReader(bytes.NewReader(b))
			if err != nil {
				return nil, err
			}
			return io.ReadAll(r)
		},
		Snappy: readXerial,
		LZ4:    func(b []byte) ([]byte, error) { return io.ReadAll(lz4.NewReader(bytes.NewReader(b))) },
		Zstd: func(b []byte) ([]byte, error) {
			r, err := zstd.NewReader(nil)
			if err != nil {
				return nil, err
			}
			return r.DecodeAll(b, nil)
		},
	}
	for codec, read := range readers {
		for _, size := range contentSizes {
			content := text(2, size)
			if got, err := read(own(t, codec, content)); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%s of %d bytes: %d bytes, %v", codec, size, len(got), err)
			}
		}
	}
}

// readXerial is a naive reader of Java's framing.
func readXerial(b []byte) ([]byte, error) {
	var all []byte
	for b = b[xerialHeader:]; len(b) > 0; {
		n := binary.BigEndian.Uint32(b)
		part, err := s2.Decode(nil, b[4:4+n])
		if err != nil {
			return nil, err
		}
		all = append(all, part...)
		b = b[4+n:]
	}
	return all, nil
}

func TestDamagedCompressionIsInvalidAndNeverPanics(t *testing.T) {
	content := raw(some(40)...)
	for _, codec := range codecs[1:] {
		for form, payload := range map[string][]byte{"foreign": foreign(t, codec, content), "own": own(t, codec, content)} {
			for n := range len(payload) {
				var h Header
				if err := Validate(craft(codec, 40, payload[:n], nil), rules(), &h); kindOf(t, err) != KindInvalid {
					t.Errorf("%s %s cut to %d of %d bytes: %v", form, codec, n, len(payload), err)
				}
			}
			for i := range len(payload) * 8 {
				flipped := bytes.Clone(payload)
				flipped[i/8] ^= 1 << (i % 8)
				var h Header
				if k := kindOf(t, Validate(craft(codec, 40, flipped, nil), rules(), &h)); k != 0 && k != KindInvalid && k != KindTimestamp {
					t.Errorf("%s %s with bit %d flipped: kind %d", form, codec, i, k)
				}
			}
		}
	}
}

func TestCompressionThatKafkaClientsCannotReadIsRefused(t *testing.T) {
	content := raw(some(40)...)
	frame := own(t, LZ4, content)
	dependent := bytes.Clone(frame)
	dependent[4] &^= lz4Independent
	dependent[6] = byte(sumXXH32(dependent[4:6]) >> 8)
	dictionary := bytes.Clone(frame)
	dictionary[4] |= 1
	header := bytes.Clone(frame)
	header[6] ^= 1
	bigBlock := bytes.Clone(frame)
	binary.LittleEndian.PutUint32(bigBlock[7:], 64<<10+1)
	for name, c := range map[string]struct {
		codec   Codec
		payload []byte
	}{
		"lz4 dependent blocks":   {LZ4, dependent},
		"lz4 dictionary":         {LZ4, dictionary},
		"lz4 header sum":         {LZ4, header},
		"lz4 oversized block":    {LZ4, bigBlock},
		"lz4 trailing":           {LZ4, append(bytes.Clone(frame), 0)},
		"lz4 two frames":         {LZ4, append(bytes.Clone(frame), frame...)},
		"s2 instead of snappy":   {Snappy, s2.EncodeBest(nil, text(9, 20_000))},
		"gzip trailing":          {Gzip, append(foreign(t, Gzip, content), "tail"...)},
		"snappy wrong length":    {Snappy, append([]byte{200, 1}, s2.EncodeSnappy(nil, content)[2:]...)},
		"zstd unknown magic":     {Zstd, []byte("not a frame at all")},
		"lz4 legacy magic":       {LZ4, append([]byte{0x02, 0x21, 0x4c, 0x18}, frame[4:]...)},
		"xerial negative length": {Snappy, append(own(t, Snappy, nil), 0x81, 0, 0, 0, 1)},
	} {
		if got, err := openAll(c.codec, c.payload, 0); kindOf(t, err) != KindInvalid {
			t.Errorf("%s was opened to %d bytes: %v", name, len(got), err)
		}
	}
}

func TestXXH32MatchesItsPublishedVectors(t *testing.T) {
	for text, want := range map[string]uint32{
		"":    0x02cc5d05,
		"a":   0x550d7456,
		"abc": 0x32d153ff,
		"Nobody inspects the spammish repetition": 0xe2293b2f,
	} {
		if got := sumXXH32([]byte(text)); got != want {
			t.Errorf("%q: %08x, want %08x", text, got, want)
		}
		var x xxh32
		x.reset()
		for i := range len(text) {
			x.write([]byte{text[i]})
		}
		if got := x.sum(); got != want {
			t.Errorf("%q byte by byte: %08x, want %08x", text, got, want)
		}
	}
}
