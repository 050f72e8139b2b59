package pattern

// kind is what a value of an event is.
type kind uint8

const (
	kindText kind = iota
	kindNumber
	kindWord
)

// value is one leaf of an event, at a path that some rule names.
type value struct {
	text []byte // a string's content; a number or word as written
	step *step  // where it is
	// scope is the innermost element of a list of objects or lists that it lies
	// in; 0 is the event itself.
	scope int32
	next  int32 // the next value of the same path, -1
	kind  kind

	read    uint8 // which of the following were made
	hash    uint64
	number  float64
	address address
}

const (
	readNumeric = 1 << iota
	isNumeric
	readAddr
	readHash
)

// numeric is the number that the value stands for, if binary64 has it.
func (v *value) numeric() (float64, bool) {
	if v.read&readNumeric == 0 {
		v.read |= readNumeric
		if v.kind == kindNumber {
			if f, ok := comparable(v.text); ok {
				v.number, v.read = f+0, v.read|isNumeric
			}
		}
	}
	return v.number, v.read&isNumeric != 0
}

// ip is the address that the value stands for; size 0 if none.
func (v *value) ip() *address {
	if v.read&readAddr == 0 {
		v.read |= readAddr
		v.address.size = 0
		if v.kind == kindText {
			v.address = parseAddress(v.text)
		}
	}
	return &v.address
}

// passes tells whether one of the tests of a program, all of them, passes.
func (v *value) passes(tests string) bool {
	for at := 0; at < len(tests); {
		size, next := readSize(tests, at+1)
		if v.passesOne(op(tests[at]), tests[next:next+size]) {
			return true
		}
		at = next + size
	}
	return false
}

func (v *value) passesOne(o op, p string) bool {
	switch o {
	case opText:
		return v.kind == kindText && string(v.text) == p
	case opWord:
		return v.kind == kindWord && string(v.text) == p
	case opNumber:
		f, ok := v.numeric()
		return ok && f == readNumber(p)
	case opDigits:
		return v.kind == kindNumber && string(v.text) == p
	case opRange:
		f, ok := v.numeric()
		return ok && inRange(f, p)
	case opAddress:
		a := v.ip()
		return a.size > 0 && inNetwork(a, p)
	case opPresent:
		return true
	case opAbsent:
		return false
	case opNot:
		return !v.passes(p)
	}
	return v.kind == kindText && passesText(v.text, o, p)
}

// passesText runs the tests that are for parts and forms of strings.
func passesText(text []byte, o op, p string) bool {
	switch o {
	case opPrefix:
		return hasPrefix(text, p)
	case opSuffix:
		return hasSuffix(text, p)
	case opFold:
		return fitsASCII(text, p)
	case opPrefixFold:
		return len(text) >= len(p) && fitsASCII(text[:len(p)], p)
	case opSuffixFold:
		return len(text) >= len(p) && fitsASCII(text[len(text)-len(p):], p)
	case opFoldWide:
		n, ok := fitsWideHead(text, p)
		return ok && n == len(text)
	case opPrefixWide:
		_, ok := fitsWideHead(text, p)
		return ok
	case opSuffixWide:
		return fitsWideTail(text, p)
	case opWildcard:
		return fitsWildcard(text, p)
	}
	return false
}
