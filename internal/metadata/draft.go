package metadata

import (
	"fmt"
	"slices"
)

// Draft is an image in the making: records are applied to it one by one, each
// at the cost of what it touches. It belongs to one goroutine. With uses one
// for a step; the controller keeps one as its state.
type Draft struct {
	img     Image
	owner   *owner
	opaque  bool     // img.opaque is this draft's own
	changed *changes // nil: nobody asks
}

// Draft begins a draft from i, which stays as it is.
func (i *Image) Draft() *Draft {
	return &Draft{img: *i, owner: new(owner)}
}

// Image is the draft's present state. It changes with every Apply and must not
// leave the goroutine that owns the draft; what is found in it (a topic, a
// map) must not be kept across an Apply.
func (d *Draft) Image() *Image { return &d.img }

// Seal gives the present state as an image of its own. The draft can go on.
func (d *Draft) Seal(offset int64, epoch int32) *Image {
	img := d.img
	img.Offset, img.Epoch = offset, epoch
	d.owner, d.opaque = new(owner), false
	return &img
}

// With returns a new image with the records applied, and what changed. It
// fails on records that do not fit (our bug or a damaged log).
func (i *Image) With(offset int64, epoch int32, records ...Record) (*Image, *Delta, error) {
	d := i.Draft()
	d.changed = &changes{}
	for n, r := range records {
		if err := d.Apply(r); err != nil {
			return nil, nil, fmt.Errorf("metadata record %d of %d up to offset %d: %w", n+1, len(records), offset, err)
		}
	}
	img := d.Seal(offset, epoch)
	return img, d.changed.delta(i, img), nil
}

// Apply changes the draft by one record. An error means that the record does
// not fit (our bug or a damaged log); the draft is as it was, but for the end
// of a transaction, which may have taken effect in part: drop the draft.
func (d *Draft) Apply(r Record) error {
	if d.img.pending != nil {
		return d.applyPending(r)
	}
	return d.apply(r)
}

func (d *Draft) apply(r Record) error {
	switch r := r.(type) {
	case *TopicRecord:
		return d.applyTopic(r)
	case *PartitionRecord:
		return d.applyPartition(r)
	case *PartitionChangeRecord:
		return d.applyPartitionChange(r)
	case *RemoveTopicRecord:
		return d.applyRemoveTopic(r)
	case *ClearELRRecord:
		return d.applyClearELR(r)
	case *RegisterBrokerRecord:
		return d.applyRegisterBroker(r)
	case *UnregisterBrokerRecord:
		return d.applyUnregisterBroker(r)
	case *FenceBrokerRecord:
		return d.applyRegistrationChange(&BrokerRegistrationChangeRecord{BrokerID: r.BrokerID, BrokerEpoch: r.BrokerEpoch, Fenced: 1})
	case *UnfenceBrokerRecord:
		return d.applyRegistrationChange(&BrokerRegistrationChangeRecord{BrokerID: r.BrokerID, BrokerEpoch: r.BrokerEpoch, Fenced: -1})
	case *BrokerRegistrationChangeRecord:
		return d.applyRegistrationChange(r)
	default:
		return d.applyCluster(r)
	}
}

// applyCluster is apply for what is neither topic nor broker.
func (d *Draft) applyCluster(r Record) error {
	switch r := r.(type) {
	case *ConfigRecord:
		d.applyConfig(r)
	case *FeatureLevelRecord:
		d.applyFeatureLevel(r)
	case *ProducerIDsRecord:
		return d.applyProducerIDs(r)
	case *RegisterControllerRecord:
		d.applyRegisterController(r)
	case *UnregisterControllerRecord:
		return d.applyUnregisterController(r)
	case *BeginTransactionRecord:
		d.img.pending = []Record{r}
	case *EndTransactionRecord, *AbortTransactionRecord:
		return fmt.Errorf("%s without a transaction to end", TypeName(r.RecordType()))
	case *NoOpRecord:
	case *Opaque:
		d.applyOpaque(r)
	default:
		return fmt.Errorf("%s: this node does not know what it does", TypeName(r.RecordType()))
	}
	return nil
}

// applyPending is Apply inside a metadata transaction (KIP-868): records wait
// for its end.
func (d *Draft) applyPending(r Record) error {
	switch r.(type) {
	case *BeginTransactionRecord:
		return fmt.Errorf("%s inside a transaction", TypeName(r.RecordType()))
	case *AbortTransactionRecord:
		d.img.pending = nil
	case *EndTransactionRecord:
		waiting := d.img.pending[1:]
		d.img.pending = nil
		for _, w := range waiting {
			if err := d.apply(w); err != nil {
				return fmt.Errorf("in a transaction: %w", err)
			}
		}
	default:
		d.img.pending = append(slices.Clip(d.img.pending), r)
	}
	return nil
}

func (d *Draft) applyOpaque(r *Opaque) {
	if !d.opaque {
		d.img.opaque = withRoom(d.img.opaque)
		d.opaque = true
	}
	d.img.opaque = append(d.img.opaque, r)
}
