package devnodes

import (
	"fmt"
	"strings"
)

// Deed is what a key asks for.
type Deed byte

// The deeds, by their keys.
const (
	DoKill  Deed = 'k'
	DoStop  Deed = 's'
	DoPause Deed = 'p'
	DoStart Deed = 'r'
	DoQuit  Deed = 'q'
	DoHelp  Deed = '?'
	DoShow  Deed = '\n'
)

// KeyHelp says what the keys do.
const KeyHelp = "k N kill -9   s N stop   p N pause, go on   r N start   (N: the node's number)   ? help   q quit"

// Keys turns what is typed into deeds: a letter and then a node's number, in
// any case, with spaces or without. It works the same whether a terminal gives
// keys at once or lines.
type Keys struct{ letter Deed }

// Press takes one key. ok is false while more is needed, or when it means
// nothing.
func (k *Keys) Press(r rune) (deed Deed, number int, ok bool) {
	if r >= 'A' && r <= 'Z' {
		r += 'a' - 'A'
	}
	switch {
	case r == 'k' || r == 's' || r == 'p' || r == 'r':
		k.letter = Deed(r)
	case r >= '1' && r <= '9' && k.letter != 0:
		deed, k.letter = k.letter, 0
		return deed, int(r - '0'), true
	case r == 'q' || r == '?':
		k.letter = 0
		return Deed(r), 0, true
	case r == '\n' || r == '\r':
		if pending := k.letter; pending != 0 {
			k.letter = 0
			return 0, 0, false
		}
		return DoShow, 0, true
	case r == ' ' || r == '\t':
	default:
		k.letter = 0
	}
	return 0, 0, false
}

// Do carries a deed out on the nodes. What cannot be done is the error.
func (n *Nodes) Do(deed Deed, number int) error {
	switch deed {
	case DoKill:
		return n.Kill(number)
	case DoStop:
		return n.Stop(number)
	case DoPause:
		return n.Pause(number)
	case DoStart:
		return n.Start(number)
	}
	return fmt.Errorf("no node can do %q", strings.TrimSpace(string(rune(deed))))
}
