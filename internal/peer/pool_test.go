package peer

import "testing"

func TestTwoNodesSpeak(t *testing.T) {
	one := founded(t)
	two := one.of(t, whose(2))
	a, b := newStation(t, one, nil), newStation(t, two, nil)
	echo(t, pool(t, one, nil, a, b), 2, "from one to two")
	echo(t, pool(t, two, nil, a, b), 1, "from two to one")
}
