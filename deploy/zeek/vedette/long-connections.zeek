##! conn_long.log: connections that are still open, told from time to time with the columns of conn. A miner's or a tunnel's connection lasts for days, and
##! conn.log has its row only when it ends.

@load base/protocols/conn

module VedetteLong;

export {
	redef enum Log::ID += { LOG };
	## When an open connection is told, counted from its start; after the last, each `every`.
	option marks: vector of interval = vector(10 min, 1 hr);
	option every: interval = 6 hr;
}

# Called at each mark: tells the connection, and says after how long to call again.
function look(c: connection, calls: count): interval
	{
	local info = Conn::Info($ts=c$start_time, $uid=c$uid, $id=c$id,
	                        $proto=get_port_transport_proto(c$id$resp_p));
	info$duration = c$duration;
	info$orig_bytes = c$orig$size;
	info$resp_bytes = c$resp$size;
	if ( c$orig?$num_pkts )
		{
		info$orig_pkts = c$orig$num_pkts;
		info$orig_ip_bytes = c$orig$num_bytes_ip;
		info$resp_pkts = c$resp$num_pkts;
		info$resp_ip_bytes = c$resp$num_bytes_ip;
		}
	if ( |c$service| > 0 )
		info$service = to_lower(join_string_set(c$service, ","));
	Log::write(VedetteLong::LOG, info);

	return calls + 1 < |marks| ? marks[calls + 1] - marks[calls] : every;
	}

event zeek_init()
	{
	Log::create_stream(VedetteLong::LOG, Log::Stream($columns=Conn::Info, $path="conn_long"));
	}

event connection_established(c: connection)
	{
	ConnPolling::watch(c, look, 0, marks[0]);
	}
