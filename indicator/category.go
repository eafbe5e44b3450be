package indicator

// A Category is MISP's rough sorting of attributes. The number is for storage:
// stable, never reused. The zero Category is none.
type Category uint8

const (
	InternalReference Category = iota + 1
	TargetingData
	AntivirusDetection
	PayloadDelivery
	ArtifactsDropped
	PayloadInstallation
	PersistenceMechanism
	NetworkActivity
	PayloadType
	Attribution
	ExternalAnalysis
	FinancialFraud
	SupportTool
	SocialNetwork
	Person
	Other
)

var categoryNames = [...]string{
	"Internal reference", "Targeting data", "Antivirus detection", "Payload delivery",
	"Artifacts dropped", "Payload installation", "Persistence mechanism", "Network activity",
	"Payload type", "Attribution", "External analysis", "Financial fraud",
	"Support Tool", "Social network", "Person", "Other",
}

// Categories returns the names of all categories, in MISP's order.
func Categories() []string { return append([]string(nil), categoryNames[:]...) }

// CategoryByName finds a category by its MISP name.
func CategoryByName(name string) (Category, bool) {
	for i, n := range categoryNames {
		if n == name {
			return Category(i + 1), true
		}
	}
	return 0, false
}

// String returns the MISP name, "" for none.
func (c Category) String() string {
	if c == 0 || int(c) > len(categoryNames) {
		return ""
	}
	return categoryNames[c-1]
}

// A categorySet holds category c as bit c.
type categorySet uint32

func (c Category) set() categorySet { return 1 << c }

func in(cs ...Category) (s categorySet) {
	for _, c := range cs {
		s |= c.set()
	}
	return s
}

func (s categorySet) names() (names []string) {
	for i, n := range categoryNames {
		if s&Category(i+1).set() != 0 {
			names = append(names, n)
		}
	}
	return names
}
