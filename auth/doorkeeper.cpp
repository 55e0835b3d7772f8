// SPDX-License-Identifier: Apache-2.0
#include "auth/doorkeeper.hpp"

#include <utility>

namespace eventweft::auth {

namespace {

admission refuse(error why, std::string_view reason) {
  return tl::unexpected{refusal{std::move(why), reason, std::nullopt, {}}};
}

admission too_many(std::chrono::seconds wait, std::string_view whose) {
  return tl::unexpected{
      refusal{{ec::too_many_requests,
               "too many requests " + std::string{whose} + "; come back in " +
                   std::to_string(wait.count()) +
                   (wait.count() == 1 ? " second" : " seconds")},
              "rate",
              wait,
              {}}};
}

permission permission_for(needs n) noexcept {
  switch (n) {
  case needs::ingest:
    return permission::ingest;
  case needs::read:
  case needs::visible:
    return permission::read;
  case needs::stream:
    return permission::stream;
  case needs::manage:
    return permission::manage;
  default:
    return permission::admin;
  }
}

std::string name_of(const principal& who) {
  return std::to_string(static_cast<int>(who.how)) + ":" + who.id;
}

/// Let in without having shown anything: the request has to prove itself.
principal stranger() {
  principal out;
  out.id = "anonymous";
  return out;
}

} // namespace

std::string_view to_string(needs n) noexcept {
  switch (n) {
  case needs::undecided:
    return "undecided";
  case needs::nothing:
    return "nothing";
  case needs::signature:
    return "signature";
  case needs::ingest:
    return "ingest";
  case needs::read:
  case needs::visible:
    return "read";
  case needs::stream:
    return "stream";
  case needs::anybody:
    return "anybody";
  case needs::manage:
    return "manage";
  case needs::admin:
    return "admin";
  }
  return "undecided";
}

doorkeeper::doorkeeper(door_options options, std::shared_ptr<key_ring> keys,
                       const clock& time, random_source& random)
    : options_(options),
      keys_(std::move(keys)),
      time_(time),
      authenticator_(keys_, nullptr),
      tickets_(options_.tickets, time, random),
      key_limit_(options_.keys),
      address_limit_(options_.addresses),
      webhook_limit_(options_.webhooks),
      failure_limit_(options_.failures) {}

bool doorkeeper::enforced() const {
  switch (options_.required) {
  case door_options::mode::always:
    return true;
  case door_options::mode::never:
    return false;
  case door_options::mode::automatic:
    break;
  }
  if (latched_)
    return true;
  // Whoever takes the last key away doesn't mean to open the door.
  if (has_tokens_ || !keys_->empty())
    latched_ = true;
  return latched_ || !known_;
}

void doorkeeper::replace_tokens(std::shared_ptr<const jwt_verifier> tokens) {
  has_tokens_ = has_tokens_ || tokens != nullptr;
  authenticator_.replace_tokens(std::move(tokens));
}

expected<void> doorkeeper::alive(const standing& in) const {
  const auto nobody = [](const char* why) {
    return fail(ec::unauthorized, why);
  };
  if (!in.key.empty()) {
    if (!keys_->alive(in.key, time_.now()))
      return fail(ec::forbidden, "the API key was revoked");
  } else if (!in.signer.empty()) {
    if (!authenticator_.knows_signer(in.signer))
      return nobody("the token's key is not accepted any more");
  } else if (enforced()) {
    return nobody("credentials are needed by now");
  }
  return {};
}

void doorkeeper::on_revoked(std::function<void()> f) {
  const std::lock_guard lock{mutex_};
  revoked_ = std::move(f);
}

void doorkeeper::tell_revoked() {
  const std::lock_guard lock{mutex_};
  if (revoked_)
    revoked_();
}

admission doorkeeper::admit(const visit& v) {
  if (v.what == needs::nothing)
    return stranger();
  if (v.what == needs::undecided)
    return refuse({ec::forbidden, "nobody may do this"}, "scope");
  const auto now = time_.now();
  if (v.redeemed == nullptr)
    if (auto no = knock(v))
      return tl::unexpected{std::move(*no)};
  if (v.what == needs::signature)
    return stranger();
  auto who = identify(v, now);
  return who ? enter(std::move(*who), v, now) : who;
}

std::optional<refusal> doorkeeper::knock(const visit& v) {
  auto& limit = v.what == needs::signature ? webhook_limit_ : address_limit_;
  const auto wait = limit.ask(limit_key_of_address(v.address), time_.now());
  if (!wait)
    return std::nullopt;
  return too_many(*wait, "from this address").error();
}

admission doorkeeper::identify(const visit& v, timestamp now) {
  const bool must = enforced();
  const bool by_ticket = v.what == needs::stream && !v.ticket.empty();
  if (by_ticket) {
    auto who = v.redeemed != nullptr ? *v.redeemed
                                     : tickets_.redeem(v.ticket, v.stream);
    if (who && !alive(standing_of(*who)))
      who = fail(ticket_refused());
    if (who)
      return std::move(*who);
    if (must && who.error().code != ec::unauthorized)
      return refuse(std::move(who.error()), "unknown");
    if (must)
      return turn_away(v.address, std::move(who.error()), "ticket", now);
    return everyone();
  }
  const bool by_query = v.what == needs::ingest && v.authorization.empty() &&
                        !v.access_token.empty();
  auto who = by_query ? authenticator_.verify(v.access_token, now)
                      : authenticator_.authenticate(v.authorization, now);
  if (who)
    return std::move(*who);
  // The platform `events` looks at its own secrets then.
  if (v.what == needs::ingest && (!must || options_.ingest_proves_itself))
    return stranger();
  if (!must)
    return everyone();
  if (!known_)
    return refuse({ec::store_unavailable,
                   "the API keys could not be read yet; try again later"},
                  "unknown");
  const bool shown = by_query || !v.authorization.empty();
  return turn_away(v.address, std::move(who.error()),
                   shown ? "invalid" : "missing", now);
}

admission doorkeeper::turn_away(std::string_view address, error why,
                                std::string_view reason, timestamp now) {
  if (reason != "missing")
    if (const auto wait =
            failure_limit_.ask(limit_key_of_address(address), now))
      return too_many(*wait, "with bad credentials from this address");
  return refuse(std::move(why), reason);
}

refusal doorkeeper::unproven(std::string_view address, error why) {
  return turn_away(address, std::move(why), "proof", time_.now()).error();
}

admission doorkeeper::enter(principal who, const visit& v, timestamp now) {
  if (who.how != principal::kind::anonymous)
    if (const auto wait = key_limit_.ask(name_of(who), now))
      return too_many(*wait, "with these credentials");
  // A stranger has no scope and needs none: see `identify`.
  if (who.scopes.empty() && who.how == principal::kind::anonymous)
    return who;
  if (v.what == needs::anybody) {
    if (who.how == principal::kind::ticket)
      return refuse({ec::forbidden, "a ticket is good for its stream only"},
                    "scope");
    return who;
  }
  auto verdict = decide(who, permission_for(v.what), v.stream, now);
  if (!verdict.allowed) {
    auto no = refuse({verdict.code, std::move(verdict.reason)},
                     verdict.code == ec::forbidden ? "scope" : "expired");
    no.error().who = std::move(who);
    return no;
  }
  if (v.what == needs::read && who.forced)
    return refuse(
        {ec::forbidden, "credentials with a forced filter can't see the whole"},
        "scope");
  return who;
}

} // namespace eventweft::auth
