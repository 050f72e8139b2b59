package pattern

import "ottla/internal/event/jsonwalk"

// address is an IP address: of 4 bytes, 16, or none.
type address struct {
	bytes [16]byte
	size  uint8 // 4, 16, or 0 for none
}

// parseAddress reads an IPv4 address of four decimal parts or an IPv6 address of
// hexadecimal groups. An IPv6 address that stands for one of IPv4
// (::ffff:a00:1) is that one, as it is for EventBridge. What is none has size 0.
func parseAddress(text []byte) (a address) {
	if len(text) < 2 || len(text) > 64 {
		return a
	}
	dots, colons := 0, 0
	for _, c := range text {
		switch {
		case c == '.':
			dots++
		case c == ':':
			colons++
		case c >= '0' && c <= '9':
		case c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
			if dots > 0 {
				return a
			}
		default:
			return a
		}
	}
	switch {
	case dots == 3 && colons == 0:
		return parseIPv4(text)
	case dots == 0 && colons >= 2:
		return parseIPv6(text)
	}
	return a
}

func parseIPv4(text []byte) (a address) {
	if len(text) > 15 {
		return a
	}
	part, n, digits := 0, 0, 0
	for i := 0; i <= len(text); i++ {
		if i < len(text) && text[i] != '.' {
			if text[i] > '9' {
				return address{}
			}
			n = n*10 + int(text[i]-'0')
			digits++
			continue
		}
		if digits == 0 || n > 255 {
			return address{}
		}
		a.bytes[part] = byte(n)
		part, n, digits = part+1, 0, 0
	}
	a.size = 4
	return a
}

func parseIPv6(text []byte) (a address) {
	if text[0] == ':' && text[1] != ':' {
		return a
	}
	groups, gap, i := 0, -1, 0
	for i < len(text) {
		if text[i] == ':' { // the second of two, or the first at the start
			if i == 0 {
				i++
			}
			if gap >= 0 {
				return address{}
			}
			gap = groups
			i++
			continue
		}
		n := 0
		for ; i < len(text) && text[i] != ':'; i++ {
			if n = n<<4 | jsonwalk.HexDigit(text[i]); n > 0xffff {
				return address{}
			}
		}
		if groups == 8 {
			return address{}
		}
		a.bytes[2*groups], a.bytes[2*groups+1] = byte(n>>8), byte(n)
		groups++
		if i < len(text) {
			if i++; i == len(text) { // one colon at the end
				return address{}
			}
		}
	}
	if gap < 0 && groups != 8 || gap >= 0 && groups > 7 {
		return address{}
	}
	if gap >= 0 {
		tail := 2 * (groups - gap)
		copy(a.bytes[16-tail:], a.bytes[2*gap:2*groups])
		clear(a.bytes[2*gap : 16-tail])
	}
	a.size = 16
	return a.unmapped()
}

// unmapped is the IPv4 address that an IPv6 one stands for, else itself.
func (a address) unmapped() address {
	for _, b := range a.bytes[:10] {
		if b != 0 {
			return a
		}
	}
	if a.bytes[10] != 0xff || a.bytes[11] != 0xff {
		return a
	}
	four := address{size: 4}
	copy(four.bytes[:4], a.bytes[12:])
	return four
}

// masked keeps the first bits.
func (a address) masked(bits int) address {
	for i := range a.bytes {
		switch left := bits - 8*i; {
		case left <= 0:
			a.bytes[i] = 0
		case left < 8:
			a.bytes[i] &= byte(0xff << (8 - left))
		}
	}
	return a
}
