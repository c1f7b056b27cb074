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

signature vedette-mining-set-version-mask {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"mining\.set_version_mask"/
  eval VedetteStratum::seen
}

signature vedette-mining-suggest-difficulty {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"mining\.suggest_difficulty"/
  eval VedetteStratum::seen
}

signature vedette-mining-suggest-target {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"mining\.suggest_target"/
  eval VedetteStratum::seen
}

signature vedette-mining-capabilities {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"mining\.capabilities"/
  eval VedetteStratum::seen
}

signature vedette-mining-multi-version {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"mining\.multi_version"/
  eval VedetteStratum::seen
}

signature vedette-mining-set {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"mining\.set"/
  eval VedetteStratum::seen
}

signature vedette-mining-noop {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"mining\.noop"/
  eval VedetteStratum::seen
}

signature vedette-mining-bye {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"mining\.bye"/
  eval VedetteStratum::seen
}

signature vedette-mining-ping {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"mining\.ping"/
  eval VedetteStratum::seen
}

signature vedette-getjobtemplate {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"getjobtemplate"/
  eval VedetteStratum::seen
}

signature vedette-solution {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"solution"/
  eval VedetteStratum::seen
}

signature vedette-get-block-template {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"get_block_template"/
  eval VedetteStratum::seen
}

signature vedette-submit-block {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*"method"[ \t]*:[ \t]*"submit_block"/
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

signature vedette-sign-job-graph {
  ip-proto == tcp
  tcp-state established
  payload /(.|\n)*("job_id"[ \t]*:(.|\n)*"pre_pow"|"pre_pow"[ \t]*:(.|\n)*"job_id")[ \t]*:/
  eval VedetteStratum::seen
}
