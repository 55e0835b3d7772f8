// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "codec/json_text.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace eventweft::codec {

/// One page of a list, as the API gives all of them:
/// `{"<name>":[…],"next_cursor":"…"|null}`. `append(out, item)` adds an item's
/// JSON; `next_cursor` is empty if no page follows. `name` is one of ours: it
/// needs no escapes.
template <class List, class Append>
std::string list_json(std::string_view name, const List& list, Append append,
                      std::string_view next_cursor) {
  std::string out = "{";
  append_name(out, name);
  out += '[';
  bool first = true;
  for (const auto& item : list) {
    if (!std::exchange(first, false))
      out += ',';
    append(out, item);
  }
  out += ']';
  append_name(out, "next_cursor");
  if (next_cursor.empty())
    out += "null";
  else
    append_quoted(out, next_cursor);
  return out += '}';
}

} // namespace eventweft::codec
