// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/cli/commands.hpp"
#include "app/cli/json_body.hpp"
#include "messages/errors.hpp"
#include "messages/time.hpp"

#include <string>
#include <string_view>

namespace CLI {
class App;
} // namespace CLI

namespace eventweft::cli {

/// Turns "90s", "15m", "2h", "7d" into the RFC 3339 time that long before
/// `now`; everything else comes back as it is.
std::string absolute_time(std::string_view text, timestamp now);

/// The same for an option that takes such a time only; `bad_configuration` for
/// anything else. Empty stays empty.
expected<std::string> past_time(std::string_view option, std::string_view text,
                                timestamp now);

/// `--since` for the server, with a time made absolute; `bad_configuration` if
/// it is none of the forms. Empty stays empty.
expected<std::string> absolute_since(std::string_view text, timestamp now);

/// `--filter` together with the lists, in the canonical form; empty if there
/// is nothing to filter by. Both members given is a conflict that is refused
/// by name.
expected<std::string> stream_filter(std::string_view filter,
                                    const selection& select);

/// `--filter` as the member of a body. What is wrong with it is told here: the
/// server only knows the body that it is part of. Empty adds nothing.
expected<void> add_filter(json_body& body, const std::string& filter);

/// What is wrong with the value of an option that narrows what is meant: an
/// empty one, as an unset variable of a script leaves it, would mean all.
std::string refuse_empty(const std::string& text);

/// `--platform`, `--type`, `--source`, `--actor` and `--json`, in the words
/// that fit a stream or the stored events. `s` is written to when the command
/// line is read.
void add_event_selection(CLI::App& app, selection& s, bool of_stream);

/// "2 usage, 1 the rest": an error's exit code, after it was told.
int report(const error& e, console& io);

} // namespace eventweft::cli
