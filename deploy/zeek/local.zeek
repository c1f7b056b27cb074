# What the sensor loads. Every line costs processors at 100 Gbit/s: what no rule or detector reads is left out.

# The site's own addresses: who is local decides direction, and what a scan is. Replace by yours.
redef Site::local_nets += { 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, [fc00::]/7 };

# The sensor's health.
@load policy/misc/capture-loss
@load policy/misc/stats
# How much may be lost before Zeek raises a notice; Vedette's rules look at capture_loss.log themselves.
redef CaptureLoss::too_much_loss = 0.01;

# Notices that rules read: scans, SSH guessing. Replaced by Vedette's own detectors over conn and ssh where those have both.
@load policy/protocols/ssh/detect-bruteforcing
# Certificates that do not hold, and TLS fingerprints for indicators.
@load policy/protocols/ssl/validate-certs
# Hashes of files that cross the tap.
@load frameworks/files/hash-all-files
# VLAN and MAC address in conn, where several networks share a tap.
@load policy/protocols/conn/vlan-logging

# Vedette's.
@load ./vedette/json-logs
@load ./vedette/shunt
@load ./vedette/stratum
@load ./vedette/long-connections
