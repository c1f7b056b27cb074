##! Logs as JSON lines: the log's name in `_path` and the sensor's in `_system_name`, as the `zeek` format reads them, whatever the file is called.

@load base/frameworks/logging/writers/ascii

redef LogAscii::use_json = T;
# Seconds with microseconds since the epoch: no time zone, no rounding.
redef LogAscii::json_timestamps = JSON::TS_EPOCH;

module VedetteLogs;

export {
	## What every row says besides its columns.
	type Extension: record {
		path: string &log;
		system_name: string &log;
	};
}

function extension(path: string): Extension
	{
	return Extension($path=path, $system_name=peer_description);
	}

redef Log::default_ext_func = extension;
# Gives `_path` and `_system_name`.
redef Log::default_ext_prefix = "_";
