// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "auth/audit.hpp"
#include "auth/doorkeeper.hpp"
#include "net/backend.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace eventweft::net {

/// Who may come in, and the books that are kept about it. Thread-safe; every
/// call returns at once.
class access_port {
 public:
  virtual ~access_port() = default;

  virtual auth::doorkeeper& door() noexcept = 0;

  /// Whether a ticket is good at other nodes, too, and theirs are here. Then
  /// `redeem_ticket` says what one is worth, `door` does not know.
  virtual bool shares_tickets() const noexcept { return false; }
  /// See `auth::ticket_office::issue` and `redeem`.
  virtual void issue_ticket(const auth::principal& who, std::string_view stream,
                            reply_to<std::string> reply) {
    reply(door().issue(who, stream));
  }
  virtual void redeem_ticket(std::string_view /*ticket*/,
                             std::string_view /*stream*/,
                             reply_to<auth::principal> reply) {
    reply(fail(auth::ticket_refused()));
  }

  /// Makes a key of `wanted` and hands out its text, once.
  virtual void create_key(auth::api_key wanted,
                          reply_to<auth::new_api_key> reply) = 0;
  /// All of them, revoked ones as well, by id.
  virtual void list_keys(reply_to<std::vector<auth::api_key>> reply) = 0;
  /// False if there is no such key. Ends the streams that were opened with it.
  virtual void revoke_key(std::string id, reply_to<bool> reply) = 0;

  /// Whether one more management call could be written down. What can't be is
  /// not done.
  virtual bool can_record() const noexcept = 0;
  virtual void record(auth::audit_entry entry) = 0;
  virtual void audit(auth::audit_query query,
                     reply_to<std::vector<auth::audit_entry>> reply) = 0;
};

} // namespace eventweft::net
