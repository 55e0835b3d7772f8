// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/cli/commands.hpp"
#include "app/cli/http_client.hpp"

#include <simdjson.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// Calls of a server's API by commands that only show what it answers. All
/// return the exit code; what fails is told.
namespace eventweft::cli {

/// `body` is JSON.
http_request with_body(std::string method, std::string target,
                       std::string body);

/// Sends it and shows the answer's body as it is, or says that it was done.
/// `worked`, if given, is asked about the body: `exit_failure` if what was
/// asked for did not come off although the call did.
int ask_and_show(
    const connection& server, const http_request& request,
    std::string_view done, console& io,
    const std::function<bool(simdjson::dom::element)>& worked = {});

/// Deletes all that have these names; what fails is told with its name.
int delete_each(const connection& server, const std::vector<std::string>& names,
                const std::function<std::string(std::string_view)>& path_of,
                console& io);

/// A list that the API gives in pages.
struct list_request {
  std::string path;
  /// Of the answer: where the items are.
  std::string member;
  /// At most so many items; 0: all.
  uint64_t limit = 0;
  /// "&name=value" each.
  std::string selection{};
  /// At most so many items at once.
  uint64_t page = largest_page;
};

/// Hands each item to `take`, page after page, until `io.out` takes no more.
int walk_list(const connection& server, const list_request& what, console& io,
              const std::function<void(simdjson::dom::element)>& take);

/// The same for people, or with `json` as the API has it, an item a line.
int show_list(const connection& server, const list_request& what, bool json,
              console& io,
              const std::function<void(simdjson::dom::element)>& show);

/// What is at that place, fit for a terminal; empty if nothing is.
std::string shown(simdjson::dom::element e, std::string_view pointer);

} // namespace eventweft::cli
