package metadata

import "strconv"

// Record is one metadata record: *TopicRecord, *PartitionRecord, ….
type Record interface {
	// RecordType is KRaft's number of the record's type.
	RecordType() int16
	version() int16
	appendBody(dst []byte) []byte
}

// The record types of KRaft, by number (Kafka 4.4).
const (
	TypeRegisterBroker            int16 = 0
	TypeUnregisterBroker          int16 = 1
	TypeTopic                     int16 = 2
	TypePartition                 int16 = 3
	TypeConfig                    int16 = 4
	TypePartitionChange           int16 = 5
	TypeFenceBroker               int16 = 7
	TypeUnfenceBroker             int16 = 8
	TypeRemoveTopic               int16 = 9
	TypeDelegationToken           int16 = 10
	TypeUserScramCredential       int16 = 11
	TypeFeatureLevel              int16 = 12
	TypeClientQuota               int16 = 14
	TypeProducerIDs               int16 = 15
	TypeBrokerRegistrationChange  int16 = 17
	TypeAccessControlEntry        int16 = 18
	TypeRemoveAccessControlEntry  int16 = 19
	TypeNoOp                      int16 = 20
	TypeZkMigrationState          int16 = 21
	TypeRemoveUserScramCredential int16 = 22
	TypeBeginTransaction          int16 = 23
	TypeEndTransaction            int16 = 24
	TypeAbortTransaction          int16 = 25
	TypeRemoveDelegationToken     int16 = 26
	TypeRegisterController        int16 = 27
	TypeClearELR                  int16 = 28
	TypeUnregisterController      int16 = 29
)

// typeInfo is what the codec knows of a record type.
type typeInfo struct {
	name   string
	newest int16                           // highest version understood
	parse  func(r *reader, v int16) Record // nil: kept as Opaque
}

// types is indexed by type number; an empty name marks a number KRaft does not
// use.
var types = [...]typeInfo{
	TypeRegisterBroker:            {"REGISTER_BROKER", newestRegisterBroker, parseRegisterBroker},
	TypeUnregisterBroker:          {"UNREGISTER_BROKER", 0, parseUnregisterBroker},
	TypeTopic:                     {"TOPIC", 0, parseTopic},
	TypePartition:                 {"PARTITION", newestPartition, parsePartition},
	TypeConfig:                    {"CONFIG", 0, parseConfig},
	TypePartitionChange:           {"PARTITION_CHANGE", newestPartitionChange, parsePartitionChange},
	TypeFenceBroker:               {"FENCE_BROKER", 0, parseFenceBroker},
	TypeUnfenceBroker:             {"UNFENCE_BROKER", 0, parseUnfenceBroker},
	TypeRemoveTopic:               {"REMOVE_TOPIC", 0, parseRemoveTopic},
	TypeDelegationToken:           {name: "DELEGATION_TOKEN"},
	TypeUserScramCredential:       {name: "USER_SCRAM_CREDENTIAL"},
	TypeFeatureLevel:              {"FEATURE_LEVEL", 0, parseFeatureLevel},
	TypeClientQuota:               {name: "CLIENT_QUOTA"},
	TypeProducerIDs:               {"PRODUCER_IDS", 0, parseProducerIDs},
	TypeBrokerRegistrationChange:  {"BROKER_REGISTRATION_CHANGE", newestBrokerRegistrationChange, parseBrokerRegistrationChange},
	TypeAccessControlEntry:        {name: "ACCESS_CONTROL_ENTRY"},
	TypeRemoveAccessControlEntry:  {name: "REMOVE_ACCESS_CONTROL_ENTRY"},
	TypeNoOp:                      {"NO_OP", 0, parseNoOp},
	TypeZkMigrationState:          {name: "ZK_MIGRATION_STATE"},
	TypeRemoveUserScramCredential: {name: "REMOVE_USER_SCRAM_CREDENTIAL"},
	TypeBeginTransaction:          {"BEGIN_TRANSACTION", 0, parseBeginTransaction},
	TypeEndTransaction:            {"END_TRANSACTION", 0, parseEndTransaction},
	TypeAbortTransaction:          {"ABORT_TRANSACTION", 0, parseAbortTransaction},
	TypeRemoveDelegationToken:     {name: "REMOVE_DELEGATION_TOKEN"},
	TypeRegisterController:        {"REGISTER_CONTROLLER", 0, parseRegisterController},
	TypeClearELR:                  {"CLEAR_ELR", 0, parseClearELR},
	TypeUnregisterController:      {"UNREGISTER_CONTROLLER", 0, parseUnregisterController},
}

// TypeName is KRaft's name of a record type, or the number for one that KRaft
// does not have.
func TypeName(t int16) string {
	if i := infoOf(t); i != nil {
		return i.name
	}
	return "type " + strconv.Itoa(int(t))
}

func infoOf(t int16) *typeInfo {
	if t < 0 || int(t) >= len(types) || types[t].name == "" {
		return nil
	}
	return &types[t]
}

// Opaque is a record of a type that KRaft knows and that Ottla does not act
// on: an image keeps it, and it is written again byte for byte, so that a node
// that does understand it loses nothing.
type Opaque struct {
	Type    int16
	Version int16
	Body    []byte // all after the frame, tagged fields included
}

// RecordType is the number that the record came with.
func (r *Opaque) RecordType() int16            { return r.Type }
func (r *Opaque) version() int16               { return r.Version }
func (r *Opaque) appendBody(dst []byte) []byte { return append(dst, r.Body...) }

// below tells how many versions under the newest a parsed record was written
// in. It is zero in a record made here, so that one always gets the newest
// version, while a parsed one is written again as it was.
type below int16

// Newest versions of the types that have more than one.
const (
	newestRegisterBroker           = 4 // cordoned directories
	newestPartition                = 2 // KIP-966
	newestPartitionChange          = 2 // KIP-966
	newestBrokerRegistrationChange = 3 // cordoned directories
)
