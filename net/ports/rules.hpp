// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/correlation_rule.hpp"
#include "net/ports/reply.hpp"

#include <string>
#include <vector>

namespace eventweft::net {

/// A rule that was set.
struct set_rule {
  correlation::rule_state rule;
  /// There was none of that name.
  bool is_new = false;
};

/// Correlation rules, as the HTTP API shows and changes them. Thread-safe;
/// every call returns at once, every reply is called once, on any thread.
class rules_port {
 public:
  virtual ~rules_port() = default;

  /// All that are in force on this node, by name.
  virtual std::vector<correlation::rule_state> rules() const = 0;

  /// Makes one that the store keeps, or replaces it, and answers once it is in
  /// force here. `conflict` if the name is another rule's, `unprocessable` if
  /// it can't work.
  virtual void set(correlation::declarative_rule rule,
                   reply_to<set_rule> reply) = 0;

  /// `not_found`; `conflict` for one that is not the store's.
  virtual void drop(std::string name, reply_to<bool> reply) = 0;
};

} // namespace eventweft::net
