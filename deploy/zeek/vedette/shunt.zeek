##! Elephant flows are let go: after the handshake and the first 128 MB of a connection nothing is learnt from its packets, and on a science network a few
##! such flows are nine tenths of all bytes. NetControl tells a switch, router or the card to keep them from the tap; netcontrol_shunt.log says which.
##! Without a plugin that can do so (below) nothing is shunted, and the script only marks what it would.

@load base/frameworks/netcontrol

module VedetteShunt;

export {
	## Bytes of both sides after which a connection is an elephant.
	option threshold: count = 134217728;
	## For how long a shunt holds; a flow that goes on is shunted again.
	option hold: interval = 1 hr;
	## Services whose bulk is worth nothing to look at: encrypted, or science data.
	option services: set[string] = { "ssl", "ssh", "gridftp", "gridftp-data", "ftp-data", "nfs" };

	redef record Conn::Info += {
		## Whether packets were kept from Zeek: bytes and duration are then too small, and detectors of amounts leave the row out.
		shunted: bool &default=F &log;
	};
	redef record connection += {
		vedette_shunted: bool &default=F;
	};
}

event connection_established(c: connection)
	{
	ConnThreshold::set_bytes_threshold(c, threshold, T);
	ConnThreshold::set_bytes_threshold(c, threshold, F);
	}

event ConnThreshold::bytes_threshold_crossed(c: connection, bytes: count, is_orig: bool)
	{
	if ( bytes < threshold || c$vedette_shunted )
		return;

	# Unknown protocols are looked at to the end.
	local known = F;
	for ( service in c$service )
		if ( to_lower(service) in services )
			known = T;
	if ( ! known )
		return;

	c$vedette_shunted = T;
	NetControl::shunt_flow(flow_id($src_h=c$id$orig_h, $src_p=c$id$orig_p, $dst_h=c$id$resp_h, $dst_p=c$id$resp_p), hold);
	}

event connection_state_remove(c: connection) &priority=3
	{
	if ( c$vedette_shunted && c?$conn )
		c$conn$shunted = T;
	}

event NetControl::init()
	{
	# A plugin that can act goes here, one of:
	#   NetControl::activate(NetControl::create_acld(NetControl::AcldConfig($acld_host=127.0.0.1, $acld_port=11775/tcp)), 0);
	#   NetControl::activate(NetControl::create_openflow(…), 0);
	# The debug plugin does nothing but log, so that thresholds can be tried first.
	NetControl::activate(NetControl::create_debug(T), 0);
	}
