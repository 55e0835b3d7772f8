// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/filter.hpp"

#include <string>
#include <string_view>

namespace eventweft::codec {

/// The event's text in `format`, rendered on the first call and then shared by
/// everyone who holds `ev`. The payload is spliced in byte for byte, so the
/// text may hold line ends between tokens (SSE splits it into several `data:`
/// lines). Thread-safe; the view lives as long as `ev` does.
std::string_view wire_text(const event_ptr& ev, wire_format format);

/// Appends the native JSON, its `payload` spliced in as described above.
void append_native(std::string& out, const event& ev);

/// Appends CloudEvents 1.0 structured JSON: `id` is ours, `source` is
/// `/{platform}/{source_name}`, `type` is `{platform}.{event_type}`, and the
/// other members are extension attributes.
void append_cloudevent(std::string& out, const event& ev);

/// Reads what `append_native` writes. Used for the spool, dead letters and by
/// the command line; unknown members are ignored.
expected<event> parse_native(std::string_view text);

/// `{"events":[…],"next_cursor":"…"|null}`
std::string page_json(const event_page& page);

/// `{"id":"…","seq":1,"duplicate":false}`; with `"spooled":true` and a null
/// `seq` while the event waits in the spool.
std::string outcome_json(const append_outcome& outcome);

} // namespace eventweft::codec
