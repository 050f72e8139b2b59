package course

// Waits between attempts: twice as long each time, and by a fifth more or less,
// so that what failed at once is not tried again at once.
const (
	firstPauseMs = 1_000
	mostPauseMs  = 300_000
	jitter       = 5 // one part of so many, to either side
)

// pause is how long a run waits after its attempts so far.
func pause(t Timing, w Waiting) int64 {
	ms := int64(mostPauseMs)
	if w.Attempts <= 9 { // 2^8 s are less than the most, 2^9 more
		ms = min(ms, firstPauseMs<<max(w.Attempts-1, 0))
	}
	part := ms / jitter
	return ms - part + int64(mix(t.Seed, w.SlotMs, w.Attempts)%uint64(2*part+1))
}

// window is how long behind its slot a run begins.
func window(t Timing, slotMs int64) int64 {
	if t.WindowMs <= 0 {
		return 0
	}
	return int64(mix(t.Seed, slotMs, 0) % uint64(t.WindowMs))
}

// mix spreads its arguments over all numbers (the finaliser of SplitMix64).
func mix(seed uint64, slotMs int64, n int) uint64 {
	x := seed ^ uint64(slotMs)*0x9e3779b97f4a7c15 ^ uint64(n)*0xd1b54a32d192ed03
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
