// Package deflate compresses small messages, as the HTTP-Redirect binding wants
// them. compress/flate makes a code of its own for each message, which takes
// longer than all the rest of a request and saves some 50 bytes of it. Here the
// fixed code of DEFLATE is used.
package deflate

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"math/bits"
)

// Limits of DEFLATE (RFC 1951, 3.2.5) and of this encoder.
const (
	minMatch = 4 // DEFLATE could do 3, which saves next to nothing
	maxMatch = 258
	maxInput = 32 << 10 // so that every distance is allowed
	hashBits = 10
)

// Append appends the DEFLATE form of src to dst.
func Append(dst, src []byte) []byte {
	if len(src) > maxInput {
		return appendLong(dst, src)
	}
	w := writer{out: dst}
	w.bits(0b011, 3)               // the last block, with the fixed code
	var last [1 << hashBits]uint16 // position after the last place of each hash
	for i := 0; i < len(src); {
		n, distance := 0, 0
		if i+minMatch <= len(src) {
			four := binary.LittleEndian.Uint32(src[i:])
			h := four * 0x9E3779B1 >> (32 - hashBits)
			if j := int(last[h]) - 1; j >= 0 && binary.LittleEndian.Uint32(src[j:]) == four {
				n, distance = matchLength(src, j, i), i-j
			}
			last[h] = uint16(i + 1)
		}
		if n == 0 {
			w.symbol(int(src[i]))
			i++
			continue
		}
		w.match(n, distance)
		i += n
	}
	w.symbol(256)
	return w.flush()
}

// appendLong leaves to compress/flate what is long enough for it to pay.
func appendLong(dst, src []byte) []byte {
	b := bytes.NewBuffer(dst)
	w, err := flate.NewWriter(b, flate.DefaultCompression)
	if err == nil {
		_, err = w.Write(src)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // the level is valid, and a Buffer takes everything
	}
	return b.Bytes()
}

// matchLength is how many bytes from j on and from i on are the same.
func matchLength(src []byte, j, i int) int {
	n := minMatch
	for most := min(len(src)-i, maxMatch); n < most && src[j+n] == src[i+n]; n++ {
	}
	return n
}

// writer writes bits, the lowest first.
type writer struct {
	out  []byte
	held uint64
	n    uint // of the bits held, below 32
}

// bits writes up to 32 bits.
func (w *writer) bits(value uint32, n uint) {
	w.held |= uint64(value) << w.n
	w.n += n
	if w.n >= 32 {
		w.out = binary.LittleEndian.AppendUint32(w.out, uint32(w.held))
		w.held >>= 32
		w.n -= 32
	}
}

func (w *writer) flush() []byte {
	for ; w.n > 0; w.n -= min(w.n, 8) {
		w.out = append(w.out, byte(w.held))
		w.held >>= 8
	}
	return w.out
}

// code is a Huffman code, turned round: its highest bit goes first.
type code struct{ value, n uint16 }

// fixed are the codes of literals, the end of the block and lengths (RFC 1951,
// 3.2.6).
var fixed = func() (codes [288]code) {
	for s := range codes {
		var value, n int
		switch {
		case s < 144:
			value, n = 0x30+s, 8
		case s < 256:
			value, n = 0x190+s-144, 9
		case s < 280:
			value, n = s-256, 7
		default:
			value, n = 0xC0+s-280, 8
		}
		codes[s] = code{bits.Reverse16(uint16(value)) >> (16 - n), uint16(n)}
	}
	return codes
}()

// symbol writes a literal, the end of the block or a length code.
func (w *writer) symbol(s int) {
	c := fixed[s]
	w.bits(uint32(c.value), uint(c.n))
}

// distance writes a distance code.
func (w *writer) distance(d int) { w.bits(uint32(bits.Reverse8(uint8(d))>>3), 5) }

// match writes a length from 3 to 258 and a distance from 1 to 32768 (RFC 1951,
// 3.2.5).
func (w *writer) match(length, distance int) {
	switch l := length - 3; {
	case length == maxMatch:
		w.symbol(285)
	case l < 8:
		w.symbol(257 + l)
	default:
		// Four codes for each number of extra bits.
		extra := bits.Len(uint(l)) - 3
		w.symbol(257 + 4*extra + l>>extra)
		w.bits(uint32(l&(1<<extra-1)), uint(extra))
	}
	d := distance - 1
	if d < 4 {
		w.distance(d)
		return
	}
	// Two codes for each number of extra bits.
	extra := bits.Len(uint(d)) - 2
	w.distance(2*extra + d>>extra)
	w.bits(uint32(d&(1<<extra-1)), uint(extra))
}
