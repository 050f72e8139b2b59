package partition

// EpochEnd answers OffsetForLeaderEpoch: the largest epoch of the log not
// above the asked one, and the offset where it ended; (-1, -1) when the log
// knows none (KIP-101, KIP-279). currentLeaderEpoch is -1 when not given.
func (p *Partition) EpochEnd(currentLeaderEpoch, epoch int32) (int32, int64, error) {
	v, err := p.look(currentLeaderEpoch)
	if err != nil {
		return -1, -1, err
	}
	e, end := v.log.Epochs().EndOf(epoch, v.end)
	return e, end, nil
}
