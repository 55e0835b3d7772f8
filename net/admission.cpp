// SPDX-License-Identifier: Apache-2.0
#include "net/admission.hpp"

#include "net/answers.hpp"
#include "net/origin.hpp"
#include "net/ports/access.hpp"
#include "net/query.hpp"

#include <utility>

namespace eventweft::net {

namespace {

std::string value_of(std::string_view query, std::string_view name) {
  if (query.find(name) == std::string_view::npos)
    return {};
  // What is wrong with the rest of the query, the handler says.
  if (auto params = parse_query(query))
    for (auto& [key, value] : *params)
      if (key == name)
        return std::move(value);
  return {};
}

origin_kind origin_of(const server_context& shared,
                      const http::fields& fields) {
  const auto origin = view(fields[http::field::origin]);
  if (origin.empty())
    return origin_kind::none;
  return judge_origin(shared.settings.allowed_origins, origin,
                      view(fields[http::field::host]));
}

bool is_stream(const route& r) {
  return r.target == endpoint::websocket || r.target == endpoint::sse;
}

/// What a page of any origin may ask for: probes, and what has its own proof.
bool is_for_anybody(const route& r) {
  return r.needs == auth::needs::nothing || r.needs == auth::needs::signature ||
         r.needs == auth::needs::ingest;
}

/// Pages send no `Origin` when they read from what they take for their own
/// server, but no browser lets them leave these out.
bool is_from_browser(const http::fields& fields) {
  return fields.count(http::field::origin) != 0 ||
         fields.count(http::field::accept_language) != 0 ||
         fields.count("Sec-Fetch-Site") != 0;
}

/// Whether it is only this machine, or its network, that keeps others out.
bool trusts_its_place(const server_context& shared) {
  auto* access = shared.behind.access();
  return !shared.settings.insecure &&
         (access == nullptr || !access->door().enforced());
}

/// Why a web page may not use this route, if it may not. Browsers send what
/// pages of others tell them to from within our network, and some of it
/// without asking us first.
std::optional<response> refuse_page(const server_context& shared,
                                    const route& r,
                                    const http::fields& fields) {
  if (is_for_anybody(r))
    return std::nullopt;
  const auto kind = origin_of(shared, fields);
  if (kind == origin_kind::foreign) {
    shared.figures.access_refused("origin");
    return problem_answer({ec::forbidden,
                           "pages of this origin (the header Origin) may not "
                           "use this server; those of server.allowed_origins "
                           "may"});
  }
  if (kind == origin_kind::listed || !is_from_browser(fields) ||
      !trusts_its_place(shared) ||
      is_known_host(shared.settings.allowed_origins, shared.settings.listen,
                    view(fields[http::field::host])))
    return std::nullopt;
  shared.figures.access_refused("host");
  return problem_answer(
      {ec::forbidden,
       "without authentication, browsers reach this server by an IP address, "
       "as localhost, or by the name (the header Host) of an origin in "
       "server.allowed_origins"});
}

std::string_view kind_name(auth::principal::kind k) {
  switch (k) {
  case auth::principal::kind::api_key:
    return "api_key";
  case auth::principal::kind::token:
    return "token";
  case auth::principal::kind::ticket:
    return "ticket";
  case auth::principal::kind::anonymous:
    break;
  }
  return "anonymous";
}

/// What a request shows at the door. Stays where it is: the visit refers to it.
class showing {
 public:
  showing(const route_match& match, const http::fields& fields,
          std::string_view query, const std::string& remote)
      : match_(match) {
    const auto& r = *match.found;
    visit_.what = r.needs;
    visit_.authorization = view(fields[http::field::authorization]);
    visit_.address = remote;
    if (is_stream(r)) {
      ticket_ = value_of(query, "ticket");
      visit_.ticket = ticket_;
      visit_.stream = match.argument;
    } else if (r.needs == auth::needs::ingest) {
      access_token_ = value_of(query, "access_token");
      visit_.access_token = access_token_;
    }
  }
  showing(const showing&) = delete;
  showing& operator=(const showing&) = delete;

  /// What the ticket is worth; outlives this.
  void came_to(const expected<auth::principal>& redeemed) {
    visit_.redeemed = &redeemed;
  }

  const auth::visit& visit() const noexcept { return visit_; }
  const route_match& match() const noexcept { return match_; }
  bool any() const noexcept {
    return !visit_.authorization.empty() || !ticket_.empty() ||
           !access_token_.empty();
  }

 private:
  const route_match& match_;
  std::string ticket_;
  std::string access_token_;
  auth::visit visit_;
};

caller let_in(const server_context& shared, const showing& shown,
              const std::string& remote) {
  auto& access = *shared.behind.access();
  const auto& r = *shown.match().found;
  auto admitted = access.door().admit(shown.visit());
  if (!admitted) {
    const auto& no = admitted.error();
    shared.figures.access_refused(no.reason);
    auto res = turned_away(no, shown.any());
    if (no.who)
      write_down(shared, r, *no.who, shown.match().argument, remote,
                 static_cast<int>(res.result_int()));
    return {{}, std::move(res)};
  }
  if (auth::is_audited(r.needs) && !access.can_record())
    return {{},
            problem_answer({ec::overloaded,
                            "the audit trail can't be written right now"})};
  return {std::move(*admitted), std::nullopt};
}

} // namespace

caller admit(const server_context& shared, const route_match& match,
             const http::fields& fields, std::string_view query,
             const std::string& remote) {
  if (auto refused = refuse_page(shared, *match.found, fields))
    return {{}, std::move(refused)};
  if (shared.behind.access() == nullptr)
    return {auth::everyone(), std::nullopt};
  return let_in(shared, showing{match, fields, query, remote}, remote);
}

bool shows_shared_ticket(const server_context& shared, const route_match& match,
                         std::string_view query) {
  const auto* access = shared.behind.access();
  return access != nullptr && access->shares_tickets() &&
         is_stream(*match.found) && !value_of(query, "ticket").empty();
}

awaitable<caller> admit_by_ticket(const server_context& shared, asker& ask,
                                  const route_match& match,
                                  const http::fields& fields,
                                  std::string_view query,
                                  const std::string& remote) {
  if (auto refused = refuse_page(shared, *match.found, fields))
    co_return caller{{}, std::move(refused)};
  auto& access = *shared.behind.access();
  showing shown{match, fields, query, remote};
  if (const auto no = access.door().knock(shown.visit())) {
    shared.figures.access_refused(no->reason);
    co_return caller{{}, turned_away(*no, true)};
  }
  const auto start = [&](reply_to<auth::principal> reply) {
    access.redeem_ticket(shown.visit().ticket, match.argument,
                         std::move(reply));
  };
  const auto redeemed = co_await ask.call<auth::principal>(start);
  shown.came_to(redeemed);
  co_return let_in(shared, shown, remote);
}

response turned_away(const auth::refusal& r, bool shown) {
  auto res = problem_answer(r.why);
  if (r.why.code == ec::unauthorized && shown)
    res.set(http::field::www_authenticate,
            R"(Bearer realm="eventweft", error="invalid_token")");
  if (r.why.code == ec::forbidden)
    res.set(http::field::www_authenticate,
            R"(Bearer realm="eventweft", error="insufficient_scope")");
  if (r.retry_after)
    res.set(http::field::retry_after, std::to_string(r.retry_after->count()));
  return res;
}

void write_down(const server_context& shared, const route& r,
                const auth::principal& who, std::string target,
                const std::string& remote, int status) {
  auto* access = shared.behind.access();
  if (access == nullptr || !auth::is_audited(r.needs))
    return;
  auth::audit_entry entry;
  entry.at = shared.time.now();
  entry.actor_kind = kind_name(who.how);
  entry.actor = who.id;
  entry.action = std::string{view(http::to_string(r.method))} + ' ' +
                 std::string{r.pattern};
  entry.target = std::move(target);
  entry.address = remote;
  entry.status = status;
  access->record(std::move(entry));
}

std::optional<response> answer_preflight(const server_context& shared,
                                         const request& req,
                                         const route_match& match) {
  if (req.method() != http::verb::options || !match.path_known ||
      req.count(http::field::access_control_request_method) == 0 ||
      origin_of(shared, req) != origin_kind::listed)
    return std::nullopt;
  auto res = text_answer(204, {}, {});
  res.set(http::field::access_control_allow_methods,
          match.allowed.empty() ? "POST" : match.allowed);
  res.set(http::field::access_control_allow_headers,
          "authorization, content-type, idempotency-key, last-event-id");
  res.set(http::field::access_control_max_age, "600");
  return res;
}

std::string readable_by(const server_context& shared,
                        const http::fields& fields) {
  if (shared.settings.allowed_origins.empty() ||
      origin_of(shared, fields) != origin_kind::listed)
    return {};
  return std::string{view(fields[http::field::origin])};
}

} // namespace eventweft::net
