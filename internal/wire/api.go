package wire

import "math"

// APIInfo is one API key as Kafka 4.4 has it.
type APIInfo struct {
	Key      int16
	Name     string
	Min, Max int16 // versions served; Min above Max: none left
	// Flexible is the first version with compact encodings and tags (KIP-482).
	Flexible int16
	where    int8
}

// never is above every version.
const never = math.MaxInt16

// LookupAPI finds a key of Kafka 4.4 or, from OwnFirst on, of ours; nil when
// there is no such key.
func LookupAPI(key int16) *APIInfo {
	if i := int(key) - OwnFirst; i >= 0 && i < len(ownTable) {
		return &ownTable[i]
	}
	if key < 0 || int(key) >= len(apiTable) {
		return nil
	}
	return &apiTable[key]
}

// APIs lists all of Kafka's keys in order. The slice is shared: not to be changed.
func APIs() []APIInfo { return apiTable[:] }

// Supports tells whether Kafka 4.4 knows the version.
func (a *APIInfo) Supports(version int16) bool { return version >= a.Min && version <= a.Max }

// IsFlexible tells whether a version uses compact encodings and tags.
func (a *APIInfo) IsFlexible(version int16) bool { return version >= a.Flexible }

// Broker and Controller tell the listeners that serve the key.
func (a *APIInfo) Broker() bool { return a.where&onBroker != 0 }

// Controller tells whether a controller answers it too.
func (a *APIInfo) Controller() bool { return a.where&onController != 0 }

// Keys that the door itself must know.
const (
	KeyProduce              = 0
	KeyFetch                = 1
	KeyListOffsets          = 2
	KeyMetadata             = 3
	KeyControlledShutdown   = 7
	KeySaslHandshake        = 17
	KeyApiVersions          = 18
	KeyInitProducerId       = 22
	KeyOffsetForLeaderEpoch = 23
	KeyDescribeProducers    = 61
)
