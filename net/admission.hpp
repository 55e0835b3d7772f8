// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "auth/principal.hpp"
#include "net/asker.hpp"
#include "net/io_thread.hpp"
#include "net/routes.hpp"
#include "net/types.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace eventweft::net {

/// Who calls, or the answer that turns them away (`refused`).
struct caller {
  auth::principal who;
  std::optional<response> refused;
};

/// The one place where a request is held against what its route needs. Called
/// with nothing but the header block, before anything else is done with it.
/// Refused management calls are written down.
caller admit(const server_context& shared, const route_match& match,
             const http::fields& fields, std::string_view query,
             const std::string& remote);

/// Whether the request shows a ticket that is looked for where all nodes keep
/// theirs: `admit_by_ticket` is for those, `admit` for all others.
bool shows_shared_ticket(const server_context& shared, const route_match& match,
                         std::string_view query);

/// The same as `admit`, once it is known what the ticket is worth. All that it
/// is given outlives the call.
awaitable<caller> admit_by_ticket(const server_context& shared, asker& ask,
                                  const route_match& match,
                                  const http::fields& fields,
                                  std::string_view query,
                                  const std::string& remote);

/// The answer to whoever is not let in; `shown`: with the credentials that they
/// showed.
response turned_away(const auth::refusal& r, bool shown);

/// Writes a management call down that was answered with `status`; other calls
/// are passed over. `target` is what it was done to.
void write_down(const server_context& shared, const route& r,
                const auth::principal& who, std::string target,
                const std::string& remote, int status);

/// The answer to a CORS preflight of a page that is listed; nothing for
/// anything else.
std::optional<response> answer_preflight(const server_context& shared,
                                         const request& req,
                                         const route_match& match);

/// The origin whose pages may read the answer, as `Access-Control-Allow-Origin`
/// has to name it; or empty.
std::string readable_by(const server_context& shared,
                        const http::fields& fields);

} // namespace eventweft::net
