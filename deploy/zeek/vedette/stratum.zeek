##! stratum.log: what is said of mining in the first bytes of a TCP connection: Stratum, getwork, getblocktemplate. The script tells methods and signs and
##! judges nothing; Vedette's `stratum` detector does, over all connections of two addresses. One row a connection, a minute after the first word or at its
##! end. Signatures see the reassembled beginning of each side, so a word cut by a packet's border is found.

@load-sigs ./stratum.sig

module VedetteStratum;

export {
	redef enum Log::ID += { LOG };

	type Info: record {
		ts: time &log;
		uid: string &log;
		id: conn_id &log;
		proto: transport_proto &log;
		## Methods of JSON-RPC that mining knows.
		methods: set[string] &log;
		## `algo`: a list of algorithms; `job`: a job with blob and target, or Grin's with what is to be proved; `jsonrpc`: version 2.0.
		signs: set[string] &log;
	};
	redef record connection += {
		vedette_stratum: Info &optional;
	};
	## A connection of days is told before it ends.
	option tell_after: interval = 1 min;
	## Called by the signatures: notes what was seen, and matches nothing.
	global seen: function(state: signature_state, data: string): bool;
}

# Signatures by name, and the method that each stands for.
const methods: table[string] of string = {
	["vedette-mining-subscribe"] = "mining.subscribe",
	["vedette-mining-authorize"] = "mining.authorize",
	["vedette-mining-submit"] = "mining.submit",
	["vedette-mining-notify"] = "mining.notify",
	["vedette-mining-set-difficulty"] = "mining.set_difficulty",
	["vedette-mining-set-target"] = "mining.set_target",
	["vedette-mining-set-extranonce"] = "mining.set_extranonce",
	["vedette-mining-extranonce-subscribe"] = "mining.extranonce.subscribe",
	["vedette-mining-configure"] = "mining.configure",
	["vedette-mining-set-version-mask"] = "mining.set_version_mask",
	["vedette-mining-suggest-difficulty"] = "mining.suggest_difficulty",
	["vedette-mining-suggest-target"] = "mining.suggest_target",
	["vedette-mining-capabilities"] = "mining.capabilities",
	["vedette-mining-multi-version"] = "mining.multi_version",
	["vedette-mining-hello"] = "mining.hello",
	["vedette-mining-set"] = "mining.set",
	["vedette-mining-noop"] = "mining.noop",
	["vedette-mining-bye"] = "mining.bye",
	["vedette-mining-ping"] = "mining.ping",
	["vedette-mining-get-transactions"] = "mining.get_transactions",
	["vedette-login"] = "login",
	["vedette-getjob"] = "getjob",
	["vedette-getjobtemplate"] = "getjobtemplate",
	["vedette-job"] = "job",
	["vedette-submit"] = "submit",
	["vedette-solution"] = "solution",
	["vedette-keepalived"] = "keepalived",
	["vedette-eth-submitlogin"] = "eth_submitLogin",
	["vedette-eth-getwork"] = "eth_getWork",
	["vedette-eth-submitwork"] = "eth_submitWork",
	["vedette-eth-submithashrate"] = "eth_submitHashrate",
	["vedette-getwork"] = "getwork",
	["vedette-getblocktemplate"] = "getblocktemplate",
	["vedette-get-block-template"] = "get_block_template",
	["vedette-submitblock"] = "submitblock",
	["vedette-submit-block"] = "submit_block",
};
const signs: table[string] of string = {
	["vedette-sign-algo"] = "algo",
	["vedette-sign-job"] = "job",
	["vedette-sign-job-graph"] = "job",
	["vedette-sign-jsonrpc"] = "jsonrpc",
};

event zeek_init()
	{
	Log::create_stream(VedetteStratum::LOG, Log::Stream($columns=Info, $path="stratum"));
	}

function tell(c: connection)
	{
	if ( ! c?$vedette_stratum )
		return;
	local info = c$vedette_stratum;
	delete c$vedette_stratum;
	# A sign alone is in every JSON-RPC; a job is not.
	if ( |info$methods| > 0 || "job" in info$signs )
		Log::write(VedetteStratum::LOG, info);
	}

event VedetteStratum::tell_later(id: conn_id)
	{
	if ( connection_exists(id) )
		tell(lookup_connection(id));
	}

function seen(state: signature_state, data: string): bool
	{
	local c = state$conn;
	if ( ! c?$vedette_stratum )
		{
		c$vedette_stratum = Info($ts=c$start_time, $uid=c$uid, $id=c$id,
		                         $proto=get_port_transport_proto(c$id$resp_p),
		                         $methods=set(), $signs=set());
		schedule tell_after { VedetteStratum::tell_later(c$id) };
		}
	if ( state$sig_id in methods )
		add c$vedette_stratum$methods[methods[state$sig_id]];
	else if ( state$sig_id in signs )
		add c$vedette_stratum$signs[signs[state$sig_id]];
	return F;
	}

event connection_state_remove(c: connection)
	{
	tell(c);
	}
