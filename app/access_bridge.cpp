// SPDX-License-Identifier: Apache-2.0
#include "app/access_bridge.hpp"

#include "config/small_file.hpp"

#include <algorithm>
#include <utility>

namespace eventweft {

namespace {

/// Calls that wait for our thread.
constexpr size_t max_credential_jobs = 1'000;
/// Entries that wait for the store. Calls beyond this are refused before they
/// are carried out; those under way may still add theirs.
constexpr size_t max_entries = 10'000;
constexpr size_t entries_at_once = 500;
constexpr size_t trim_at_once = 10'000;
constexpr std::chrono::hours trim_interval{1};

auth::limit_options limit_of(uint32_t rate, uint32_t burst) {
  auth::limit_options out;
  out.per_second = rate;
  out.burst = burst;
  return out;
}

auth::door_options door_of(const access_options& options) {
  using mode = auth::door_options::mode;
  const auto& l = options.limits;
  auth::door_options out;
  out.required = options.auth.required == "true"    ? mode::always
                 : options.auth.required == "false" ? mode::never
                                                    : mode::automatic;
  out.ingest_proves_itself = options.ingest_proves_itself;
  out.tickets.lifetime = std::chrono::duration_cast<std::chrono::seconds>(
      options.auth.ticket_lifetime);
  out.keys = limit_of(l.key_rate, l.key_burst);
  out.addresses = limit_of(l.address_rate, l.address_burst);
  out.webhooks = limit_of(l.webhook_rate, l.webhook_burst);
  out.failures = limit_of(l.failure_rate, l.failure_burst);
  return out;
}

} // namespace

expected<std::vector<auth::jwt_key>>
read_jwt_keys(const config::auth_settings& a) {
  std::vector<auth::jwt_key> keys;
  if (!a.jwt_keys.empty()) {
    const auto text = config::read_small_file(a.jwt_keys);
    if (!text)
      return fail(text.error().code,
                  "[auth] jwt_keys: " + text.error().message);
    auto parsed = auth::parse_jwt_keys(*text);
    if (!parsed)
      return fail(parsed.error().code, "[auth] jwt_keys: " + a.jwt_keys + ": " +
                                           parsed.error().message);
    keys = std::move(*parsed);
  }
  if (!a.jwt_secret.empty()) {
    auto secret = auth::jwt_key::shared_secret(a.jwt_secret);
    if (!secret)
      return fail(secret.error().code,
                  "[auth] jwt_secret: " + secret.error().message);
    keys.push_back(std::move(*secret));
  }
  return keys;
}

access_bridge::access_bridge(store_ptr store, access_options options,
                             const clock& time, random_source& random,
                             logger_ptr log)
    : options_(std::move(options)),
      time_(time),
      random_(random),
      log_(std::move(log)),
      door_(door_of(options_), ring_, time, random),
      books_(store->open_credentials()),
      token_file_(options_.auth.jwt_keys) {
  if (!options_.share_tickets)
    return;
  if (auto kept = store->open_tickets())
    tickets_ = std::make_unique<shared_tickets>(
        std::move(kept), door_of(options_).tickets, time, random);
}

access_bridge::~access_bridge() {
  thread_ = {};
  if (!books_)
    return;
  take_jobs();
  write_audit();
  note_uses();
}

expected<void> access_bridge::start() {
  if (auto tokens = read_token_keys(); !tokens)
    return tokens;
  if (!books_) {
    door_.keys_are_known();
  } else if (const auto read = read_keys(true); !read) {
    worked("reading the API keys", &read.error());
  }
  next_note_ = next_trim_ = steady::now() + options_.note_interval;
  thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
  return {};
}

void access_bridge::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock{mutex_};
      wake_.wait_for(lock, stop, options_.interval, [this] { return woken_; });
      woken_ = false;
    }
    if (books_) {
      take_jobs();
      write_audit();
      const auto read = read_keys(false);
      worked("reading the API keys", read ? nullptr : &read.error());
      const auto now = steady::now();
      if (now >= next_note_) {
        next_note_ = now + options_.note_interval;
        note_uses();
      }
      if (now >= next_trim_) {
        next_trim_ = now + trim_interval;
        trim_audit();
      }
    }
    if (!options_.auth.jwt_keys.empty() && token_file_.changed()) {
      if (const auto tokens = read_token_keys(); tokens)
        log_->info("auth: {} was read again", options_.auth.jwt_keys);
      else
        log_->error("auth: the token keys stay as they were: {}",
                    tokens.error().message);
    }
    if (also_)
      also_();
  }
}

bool access_bridge::worked(const char* what, const error* failure) {
  if (failure != nullptr && !failing_)
    log_->warn("{} failed ({}); it is tried again", what, to_string(*failure));
  failing_ = failure != nullptr;
  return !failing_;
}

// -- keys ---------------------------------------------------------------------

expected<void> access_bridge::read_keys(bool always) {
  const auto version = books_->version();
  if (!version)
    return fail(version.error());
  if (!always && *version == version_)
    return {};
  auto keys = books_->keys();
  if (!keys)
    return fail(keys.error());
  ring_->load(std::move(*keys));
  version_ = *version;
  door_.keys_are_known();
  door_.tell_revoked();
  return {};
}

expected<void> access_bridge::read_token_keys() {
  const auto& a = options_.auth;
  if (a.jwt_keys.empty() && a.jwt_secret.empty())
    return {};
  token_file_.changed();
  auto keys = read_jwt_keys(a);
  if (!keys)
    return fail(std::move(keys.error()));
  auth::jwt_options options;
  options.issuer = a.jwt_issuer;
  options.audiences = a.jwt_audiences;
  options.leeway =
      std::chrono::duration_cast<std::chrono::seconds>(a.jwt_leeway);
  door_.replace_tokens(std::make_shared<const auth::jwt_verifier>(
      std::move(options), std::move(*keys)));
  door_.tell_revoked();
  return {};
}

void access_bridge::refresh() {
  const std::lock_guard lock{mutex_};
  wake();
}

void access_bridge::wake() {
  woken_ = true;
  wake_.notify_all();
}

void access_bridge::revoked(std::string_view id) {
  // One that is not here yet will come revoked.
  if (ring_->revoke(id, time_.now()))
    door_.tell_revoked();
}

void access_bridge::on_change(
    std::function<void(const std::string& id, bool revoked)> f) {
  const std::lock_guard lock{mutex_};
  on_change_ = std::move(f);
}

void access_bridge::changed(const std::string& id, bool revoked) {
  std::function<void(const std::string&, bool)> tell;
  {
    const std::lock_guard lock{mutex_};
    tell = on_change_;
  }
  if (tell)
    tell(id, revoked);
}

// -- tickets ------------------------------------------------------------------

void access_bridge::issue_ticket(const auth::principal& who,
                                 std::string_view stream,
                                 net::reply_to<std::string> reply) {
  if (tickets_)
    tickets_->issue(who, stream, std::move(reply));
  else
    access_port::issue_ticket(who, stream, std::move(reply));
}

void access_bridge::redeem_ticket(std::string_view ticket,
                                  std::string_view stream,
                                  net::reply_to<auth::principal> reply) {
  if (tickets_)
    tickets_->redeem(ticket, stream, std::move(reply));
  else
    access_port::redeem_ticket(ticket, stream, std::move(reply));
}

// -- calls --------------------------------------------------------------------

template <class T>
void access_bridge::put(net::reply_to<T> reply,
                        std::function<expected<T>(credential_store&)> work) {
  if (!books_) {
    reply(fail(ec::not_found, "this store keeps no keys"));
    return;
  }
  {
    const std::lock_guard lock{mutex_};
    if (jobs_.size() < max_credential_jobs) {
      jobs_.push_back([reply, work = std::move(work)](credential_store& books) {
        reply(work(books));
      });
      wake();
      return;
    }
  }
  reply(fail(ec::overloaded, "too many calls wait for the keys"));
}

void access_bridge::take_jobs() {
  std::deque<job> mine;
  {
    const std::lock_guard lock{mutex_};
    mine.swap(jobs_);
  }
  for (const auto& work : mine)
    work(*books_);
}

void access_bridge::create_key(auth::api_key wanted,
                               net::reply_to<auth::new_api_key> reply) {
  put<auth::new_api_key>(
      std::move(reply),
      [this, wanted = std::move(wanted)](
          credential_store& books) -> expected<auth::new_api_key> {
        auto made = auth::make_api_key(wanted, time_.now(), random_);
        if (auto added = books.add_key(made.record); !added)
          return fail(std::move(added.error()));
        ring_->add(made.record);
        // With the first one, nobody is in without credentials any more.
        door_.tell_revoked();
        changed(made.record.id, false);
        return made;
      });
}

void access_bridge::list_keys(net::reply_to<std::vector<auth::api_key>> reply) {
  put<std::vector<auth::api_key>>(
      std::move(reply),
      [this](credential_store& books) -> expected<std::vector<auth::api_key>> {
        auto stored = books.keys();
        if (!stored)
          return stored;
        // Uses that are not written down yet are known here.
        ring_->load(std::move(*stored));
        return ring_->list();
      });
}

void access_bridge::revoke_key(std::string id, net::reply_to<bool> reply) {
  put<bool>(
      std::move(reply),
      [this, id = std::move(id)](credential_store& books) -> expected<bool> {
        const auto now = time_.now();
        auto revoked = books.revoke_key(id, now);
        if (!revoked || !*revoked)
          return revoked;
        // One that another process has just made may not be here yet.
        static_cast<void>(ring_->revoke(id, now));
        door_.tell_revoked();
        changed(id, true);
        return true;
      });
}

// -- the audit trail ----------------------------------------------------------

bool access_bridge::can_record() const noexcept {
  return unwritten_ < max_entries;
}

void access_bridge::record(auth::audit_entry entry) {
  if (!books_)
    return;
  ++unwritten_;
  const std::lock_guard lock{mutex_};
  entries_.push_back(std::move(entry));
  wake();
}

void access_bridge::write_audit() {
  for (;;) {
    std::vector<auth::audit_entry> batch;
    {
      const std::lock_guard lock{mutex_};
      while (!entries_.empty() && batch.size() < entries_at_once) {
        batch.push_back(std::move(entries_.front()));
        entries_.pop_front();
      }
    }
    if (batch.empty())
      return;
    const auto written = books_->append_audit(batch);
    if (worked("writing the audit trail",
               written ? nullptr : &written.error())) {
      unwritten_ -= batch.size();
      continue;
    }
    const std::lock_guard lock{mutex_};
    entries_.insert(entries_.begin(), std::make_move_iterator(batch.begin()),
                    std::make_move_iterator(batch.end()));
    return;
  }
}

void access_bridge::audit(auth::audit_query query,
                          net::reply_to<std::vector<auth::audit_entry>> reply) {
  put<std::vector<auth::audit_entry>>(
      std::move(reply),
      [this, query = std::move(query)](credential_store& books) {
        // Whoever reads it sees what they have just done.
        write_audit();
        return books.audit(query);
      });
}

void access_bridge::note_uses() {
  const auto uses = ring_->take_uses();
  if (uses.empty())
    return;
  const auto noted = books_->note_uses(uses);
  worked("noting the uses of API keys", noted ? nullptr : &noted.error());
}

void access_bridge::trim_audit() {
  if (!options_.keep_audit)
    return;
  const auto gone =
      books_->trim_audit(time_.now() - *options_.keep_audit, trim_at_once);
  if (!gone) {
    worked("trimming the audit trail", &gone.error());
    return;
  }
  if (*gone > 0)
    log_->info("retention: {} entries of the audit trail are gone", *gone);
  if (static_cast<size_t>(*gone) == trim_at_once)
    next_trim_ = steady::now();
}

} // namespace eventweft
