package stix

import (
	"net/netip"
	"strings"

	"tocsin"
)

// watchlists are what an indicator of STIX 1 is for, by the type of its value.
var watchlists = map[string]string{
	"domain": "Domain Watchlist", "hostname": "Domain Watchlist", "domain|ip": "Domain Watchlist", "ip-src": "IP Watchlist", "ip-dst": "IP Watchlist",
	"ip-src|port": "IP Watchlist", "ip-dst|port": "IP Watchlist", "url": "URL Watchlist", "uri": "URL Watchlist", "link": "URL Watchlist",
	"email": "Malicious E-mail", "email-src": "Malicious E-mail", "email-dst": "Malicious E-mail", "email-subject": "Malicious E-mail",
	"email-attachment": "Malicious E-mail", "regkey": "Host Characteristics", "regkey|value": "Host Characteristics", "mutex": "Host Characteristics",
	"malware-sample": "Malware Artifacts", "attachment": "Malware Artifacts", "filename": "File Hash Watchlist",
}

func watchlist(typ string) string {
	if w := watchlists[typ]; w != "" {
		return w
	}
	if strings.HasPrefix(typ, "filename|") || digests[typ] != "" {
		return "File Hash Watchlist"
	}
	return "Malware Artifacts"
}

// cybox is what CybOX 2.1 calls what a value says, and the word for it in ids.
type cybox struct {
	word       string
	properties *node
}

// properties wraps what is said of a thing.
func properties(object string, kids ...*node) *node {
	return el("cybox:Properties", "properties", kids...).typed(object)
}

// things are what a value is about: mostly one, two of a domain with its address.
func things(a *tocsin.Attribute) []cybox {
	typ := a.Value.TypeName()
	v1, v2 := a.Value.Parts()
	whole := a.Value.String()
	one := func(word string, n *node) []cybox { return []cybox{{word, n}} }
	switch typ {
	case "domain":
		return one("DomainName", domainName(whole))
	case "hostname":
		return one("Hostname", properties("HostnameObj:HostnameObjectType", leaf("HostnameObj:Hostname_Value", "hostname_value", whole)))
	case "domain|ip":
		return []cybox{{"DomainName", domainName(v1)}, {"Address", addressOf("cybox:Properties", "properties", v2, false)}}
	case "ip-src", "ip-dst":
		return one("Address", addressOf("cybox:Properties", "properties", whole, typ == "ip-src"))
	case "ip-src|port", "ip-dst|port":
		port := leaf("PortObj:Port_Value", "port_value", v2)
		port.bare = true
		return one("SocketAddress", properties("SocketAddressObj:SocketAddressObjectType",
			addressOf("SocketAddressObj:IP_Address", "ip_address", v1, strings.HasPrefix(typ, "ip-src")),
			el("SocketAddressObj:Port", "port", port).typed("PortObj:PortObjectType")))
	case "url", "uri", "link":
		return one("URI", properties("URIObj:URIObjectType", leaf("URIObj:Value", "value", whole)).with("type", "URL"))
	case "email", "email-src", "email-reply-to":
		tag, name := "EmailMessageObj:From", "from"
		if typ == "email-reply-to" {
			tag, name = "EmailMessageObj:Reply_To", "reply_to"
		}
		return one("EmailMessage", mailHeader(mailAddress(tag, name, whole)))
	case "email-dst":
		to := el("EmailMessageObj:To", "to", mailAddress("EmailMessageObj:Recipient", "", whole))
		to.list = true
		return one("EmailMessage", mailHeader(to))
	case "email-subject":
		return one("EmailMessage", mailHeader(leaf("EmailMessageObj:Subject", "subject", whole)))
	case "email-message-id":
		return one("EmailMessage", mailHeader(leaf("EmailMessageObj:Message_ID", "message_id", whole)))
	case "email-x-mailer":
		return one("EmailMessage", mailHeader(leaf("EmailMessageObj:X_Mailer", "x_mailer", whole)))
	case "filename", "attachment", "email-attachment":
		return one("File", properties("FileObj:FileObjectType", leaf("FileObj:File_Name", "file_name", whole)))
	case "size-in-bytes":
		size := leaf("FileObj:Size_In_Bytes", "size_in_bytes", whole)
		size.bare = strings.Trim(whole, "0123456789") == ""
		return one("File", properties("FileObj:FileObjectType", size))
	case "regkey":
		return one("WindowsRegistryKey", properties("WinRegistryKeyObj:WindowsRegistryKeyObjectType", leaf("WinRegistryKeyObj:Key", "key", whole)))
	case "mutex":
		return one("Mutex", properties("MutexObj:MutexObjectType", leaf("MutexObj:Name", "name", whole)))
	case "named pipe":
		return one("Pipe", properties("PipeObj:PipeObjectType", leaf("PipeObj:Name", "name", whole)))
	case "AS":
		number := leaf("ASObj:Number", "number", strings.TrimPrefix(strings.ToUpper(whole), "AS"))
		number.bare = strings.Trim(number.text, "0123456789") == ""
		return one("AS", properties("ASObj:ASObjectType", number))
	case "mac-address":
		face := el("SystemObj:Network_Interface", "", words("SystemObj:MAC", "mac", whole))
		list := el("SystemObj:Network_Interface_List", "network_interface_list", face)
		list.list = true
		return one("System", properties("SystemObj:SystemObjectType", list))
	}
	digest, isFile := strings.CutPrefix(typ, "filename|")
	switch {
	case typ == "malware-sample":
		return one("File", fileWith(v1, "md5", v2))
	case isFile && digests[digest] != "":
		return one("File", fileWith(v1, digest, v2))
	case digests[typ] != "":
		return one("File", fileWith("", typ, whole))
	}
	custom := el("cyboxCommon:Custom_Properties", "custom_properties", words("cyboxCommon:Property", "", whole).with("name", typ))
	custom.list = true
	return one("Custom", properties("CustomObj:CustomObjectType", custom))
}

func domainName(name string) *node {
	return properties("DomainNameObj:DomainNameObjectType", leaf("DomainNameObj:Value", "value", name))
}

func addressOf(tag, name, text string, source bool) *node {
	value := leaf("AddressObj:Address_Value", "address_value", text)
	n := el(tag, name, value).typed("AddressObj:AddressObjectType")
	switch p, err := netip.ParsePrefix(text); {
	case err == nil && p.IsValid():
		value.cond = "Contains"
		n.with("category", "cidr")
	case addressType(text) != "":
		n.with("category", addressType(text))
	default:
		n.with("category", "ipv4-addr")
	}
	return n.flagged("is_source", source).flagged("is_destination", !source)
}

func mailAddress(tag, name, text string) *node {
	return el(tag, name, leaf("AddressObj:Address_Value", "address_value", text)).typed("AddressObj:AddressObjectType").with("category", "e-mail")
}

func mailHeader(kids ...*node) *node {
	return properties("EmailMessageObj:EmailMessageObjectType", el("EmailMessageObj:Header", "header", kids...))
}

// digests1 are those that CybOX has a word for.
var digests1 = map[string]string{"md5": "MD5", "sha1": "SHA1", "sha224": "SHA224", "sha256": "SHA256", "sha384": "SHA384", "sha512": "SHA512", "ssdeep": "SSDEEP"}

func fileWith(file, typ, digest string) *node {
	n := properties("FileObj:FileObjectType")
	if file != "" {
		n.kids = append(n.kids, leaf("FileObj:File_Name", "file_name", file))
	}
	kind := leaf("cyboxCommon:Type", "type", digests1[typ]).typed("cyboxVocabs:HashNameVocab-1.0")
	if digests1[typ] == "" {
		kind = leaf("cyboxCommon:Type", "type", "Other")
	}
	value := leaf("cyboxCommon:Simple_Hash_Value", "simple_hash_value", digest)
	if typ == "ssdeep" {
		value = leaf("cyboxCommon:Fuzzy_Hash_Value", "fuzzy_hash_value", digest)
	}
	hashes := el("FileObj:Hashes", "hashes", el("cyboxCommon:Hash", "", kind, value))
	hashes.list = true
	n.kids = append(n.kids, hashes)
	return n
}
