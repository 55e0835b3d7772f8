// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"
#include "messages/filter.hpp"

#include <string>
#include <vector>

namespace eventweft::codec {

/// What one member of a filter made of an event.
struct member_verdict {
  /// As in the filter: `platforms`, …, or a path of `custom_filters`.
  std::string member;
  bool matched = false;
  /// What the filter asks for and what the event has, as JSON texts. `found` is
  /// empty where there is nothing.
  std::string wanted;
  std::string found;
  /// Why it does not match, for people; empty if it does.
  std::string why;
};

struct filter_explanation {
  bool matched = true;
  /// The members that are given, in the order of the filter's text.
  std::vector<member_verdict> members;
};

/// Tells member by member whether `f` matches `ev`. Agrees with
/// `compiled_filter::matches`.
filter_explanation explain(const filter& f, const event& ev);

/// `{"matched":false,"members":[{"member":"platforms","matched":true,
/// "wanted":["github"],"found":"github","why":null},…]}`
std::string explanation_json(const filter_explanation& e);

} // namespace eventweft::codec
