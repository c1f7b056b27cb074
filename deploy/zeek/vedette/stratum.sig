# What stratum.zeek looks for: methods of JSON-RPC and signs of mining, anywhere in the reassembled beginning of either side. The function behind `eval` notes
# what was seen and says no, so that no signature ever "matches" and nothing is written twice.

signature vedette-mining-subscribe {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"mining\.subscribe"/
  eval VedetteStratum::seen
}

signature vedette-mining-authorize {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"mining\.authorize"/
  eval VedetteStratum::seen
}

signature vedette-mining-submit {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"mining\.submit"/
  eval VedetteStratum::seen
}

signature vedette-mining-notify {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"mining\.notify"/
  eval VedetteStratum::seen
}

signature vedette-mining-set-difficulty {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"mining\.set_difficulty"/
  eval VedetteStratum::seen
}

signature vedette-mining-set-target {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"mining\.set_target"/
  eval VedetteStratum::seen
}

signature vedette-mining-set-extranonce {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"mining\.set_extranonce"/
  eval VedetteStratum::seen
}

signature vedette-mining-extranonce-subscribe {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"mining\.extranonce\.subscribe"/
  eval VedetteStratum::seen
}

signature vedette-mining-configure {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"mining\.configure"/
  eval VedetteStratum::seen
}

signature vedette-mining-hello {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"mining\.hello"/
  eval VedetteStratum::seen
}

signature vedette-mining-get-transactions {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"mining\.get_transactions"/
  eval VedetteStratum::seen
}

signature vedette-login {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"login"/
  eval VedetteStratum::seen
}

signature vedette-getjob {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"getjob"/
  eval VedetteStratum::seen
}

signature vedette-job {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"job"/
  eval VedetteStratum::seen
}

signature vedette-submit {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"submit"/
  eval VedetteStratum::seen
}

signature vedette-keepalived {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"keepalived"/
  eval VedetteStratum::seen
}

signature vedette-eth-submitlogin {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"eth_submitLogin"/
  eval VedetteStratum::seen
}

signature vedette-eth-getwork {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"eth_getWork"/
  eval VedetteStratum::seen
}

signature vedette-eth-submitwork {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"eth_submitWork"/
  eval VedetteStratum::seen
}

signature vedette-eth-submithashrate {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"eth_submitHashrate"/
  eval VedetteStratum::seen
}

signature vedette-getwork {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"getwork"/
  eval VedetteStratum::seen
}

signature vedette-getblocktemplate {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"getblocktemplate"/
  eval VedetteStratum::seen
}

signature vedette-submitblock {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"submitblock"/
  eval VedetteStratum::seen
}

signature vedette-sign-algo {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"algo"[ \t]*:/
  eval VedetteStratum::seen
}

signature vedette-sign-jsonrpc {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"jsonrpc"[ \t]*:[ \t]*"2\.0"/
  eval VedetteStratum::seen
}

signature vedette-sign-job {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"blob"[ \t]*:(.|\n)*"job_id"[ \t]*:(.|\n)*"target"[ \t]*:/
  eval VedetteStratum::seen
}
