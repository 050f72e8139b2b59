package record

import (
	"encoding/binary"
	"fmt"
	"runtime"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// idlePackers holds packers that wait for their next batch; see idle.
var idlePackers = make(chan *packer, max(2, runtime.GOMAXPROCS(0)))

const (
	lz4BlockBytes = 64 << 10 // the block size Java writes
	zstdWindow    = 2 << 20  // what readers must hold to open our frames
	lz4FastLevel  = 9        // Kafka's default level, which means LZ4's fast mode
)

// packer compresses the records of one batch behind a header.
type packer struct {
	codec Codec
	level int
	max   int    // no more than this many bytes may come out
	out   []byte // the batch so far, header included

	block []byte // snappy and lz4: what the next block will hold
	room  []byte // what a block is compressed into
	gzip  *gzip.Writer
	zstd  *zstd.Encoder
	lz4   lz4.Compressor
	lz4HC lz4.CompressorHC

	gzipLevel, zstdLevel int // of the encoders above
}

// newPacker readies a packer that appends to out.
func newPacker(codec Codec, level int, out []byte, maxBytes int) (*packer, error) {
	var p *packer
	select {
	case p = <-idlePackers:
	default:
		p = new(packer)
	}
	p.codec, p.level, p.max, p.out, p.block = codec, level, maxBytes, out, p.block[:0]
	if err := p.open(); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// open readies the encoder and writes what the frame begins with.
func (p *packer) open() error {
	switch p.codec {
	case None:
		return nil
	case Gzip:
		return p.openGzip()
	case Snappy:
		p.out = append(p.out, xerialMagic[:]...)
		p.out = append(p.out, 0, 0, 0, 1, 0, 0, 0, 1) // version, oldest version that reads it
		return nil
	case LZ4:
		at := len(p.out)
		p.out = binary.LittleEndian.AppendUint32(p.out, lz4Magic)
		p.out = append(p.out, lz4Version|lz4Independent, lz4Block64K<<4)
		p.out = append(p.out, byte(sumXXH32(p.out[at+4:])>>8))
		return nil
	case Zstd:
		return p.openZstd()
	default:
		return invalid("records cannot be compressed with the unknown %s", p.codec)
	}
}

func (p *packer) openGzip() error {
	level := p.level
	if level < gzip.BestSpeed || level > gzip.BestCompression {
		level = gzip.DefaultCompression
	}
	if p.gzip == nil || p.gzipLevel != level {
		w, err := gzip.NewWriterLevel((*packerOutput)(p), level)
		if err != nil {
			return fmt.Errorf("gzip level %d: %w", level, err)
		}
		p.gzip, p.gzipLevel = w, level
	}
	p.gzip.Reset((*packerOutput)(p))
	return nil
}

func (p *packer) openZstd() error {
	level := zstd.SpeedDefault
	if p.level != 0 {
		level = zstd.EncoderLevelFromZstd(p.level)
	}
	if p.zstd == nil || p.zstdLevel != int(level) {
		w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true),
			zstd.WithWindowSize(zstdWindow), zstd.WithEncoderLevel(level))
		if err != nil {
			return fmt.Errorf("zstd level %d: %w", p.level, err)
		}
		p.zstd, p.zstdLevel = w, int(level)
	}
	p.zstd.Reset((*packerOutput)(p))
	return nil
}

// write adds b to the records.
func (p *packer) write(b []byte) error {
	var err error
	switch p.codec {
	case None:
		_, err = (*packerOutput)(p).Write(b)
	case Gzip:
		_, err = p.gzip.Write(b)
	case Zstd:
		_, err = p.zstd.Write(b)
	default:
		return p.writeBlocks(b)
	}
	return err
}

// writeBlocks cuts the records into blocks.
func (p *packer) writeBlocks(b []byte) error {
	size := lz4BlockBytes
	if p.codec == Snappy {
		size = xerialBlock
	}
	for len(b) > 0 {
		if len(p.block) == 0 && len(b) >= size { // no need to gather
			if err := p.flush(b[:size]); err != nil {
				return err
			}
			b = b[size:]
			continue
		}
		n := min(size-len(p.block), len(b))
		p.block = append(p.block, b[:n]...)
		b = b[n:]
		if len(p.block) == size {
			if err := p.flush(p.block); err != nil {
				return err
			}
			p.block = p.block[:0]
		}
	}
	return nil
}

// flush compresses one block.
func (p *packer) flush(block []byte) error {
	if p.codec == Snappy {
		p.room = s2.EncodeSnappy(p.room[:cap(p.room)], block)
		p.out = binary.BigEndian.AppendUint32(p.out, uint32(len(p.room)))
		_, err := (*packerOutput)(p).Write(p.room)
		return err
	}
	if need := lz4.CompressBlockBound(lz4BlockBytes); cap(p.room) < need {
		p.room = make([]byte, need)
	}
	packed, err := p.lz4Block(block, p.room[:cap(p.room)])
	if err != nil {
		return fmt.Errorf("lz4 block: %w", err)
	}
	if packed == 0 || packed >= len(block) { // it does not shrink: as it is
		p.out = binary.LittleEndian.AppendUint32(p.out, uint32(len(block))|lz4Plain)
		_, err = (*packerOutput)(p).Write(block)
		return err
	}
	p.out = binary.LittleEndian.AppendUint32(p.out, uint32(packed))
	_, err = (*packerOutput)(p).Write(p.room[:packed])
	return err
}

// lz4Block compresses at Kafka's level: 1 to 17, of which the default means
// the fast mode and the others a deeper search the higher they are.
func (p *packer) lz4Block(src, dst []byte) (int, error) {
	if p.level <= 0 || p.level == lz4FastLevel {
		return p.lz4.CompressBlock(src, dst)
	}
	p.lz4HC.Level = lz4.Level1 << (min(p.level, 9) - 1)
	return p.lz4HC.CompressBlock(src, dst)
}

// finish writes what the frame ends with and hands the batch over.
func (p *packer) finish() ([]byte, error) {
	var err error
	switch p.codec {
	case Gzip:
		err = p.gzip.Close()
	case Zstd:
		err = p.zstd.Close()
	case Snappy, LZ4:
		if len(p.block) > 0 {
			err = p.flush(p.block)
		}
		if p.codec == LZ4 && err == nil {
			_, err = (*packerOutput)(p).Write([]byte{0, 0, 0, 0})
		}
	}
	out := p.out
	p.out = nil
	return out, err
}

// close gives the packer back.
func (p *packer) close() {
	p.out = nil
	select {
	case idlePackers <- p:
	default:
	}
}

// packerOutput is where the streaming encoders of a packer write.
type packerOutput packer

// Write adds compressed bytes to the batch; it never fails.
func (p *packerOutput) Write(b []byte) (int, error) {
	if len(p.out)+len(b) > p.max {
		return 0, tooLarge(len(p.out)+len(b), p.max)
	}
	p.out = append(p.out, b...)
	return len(b), nil
}
