// SPDX-License-Identifier: Apache-2.0
#include "app/spool_adapter.hpp"

#include "codec/payload.hpp"
#include "correlation/engine.hpp"
#include "persistence/spool.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

namespace eventweft {

namespace {

constexpr std::string_view spool_key = "[store] spool_directory: ";

using rules_ptr = std::shared_ptr<const correlation::engine>;

class open_spool_port final : public spool_port {
 public:
  open_spool_port(std::unique_ptr<spool> inner, rules_ptr rules)
      : inner_(std::move(inner)), rules_(std::move(rules)) {}

  expected<uint64_t> append(std::span<const event_ptr> events) override {
    return inner_->append(events).map([this] { return inner_->state().bytes; });
  }
  expected<std::vector<event_ptr>> peek(size_t max) override {
    auto events = inner_->peek(max);
    if (events && rules_)
      for (auto& e : *events)
        e = with_keys(*e);
    return events;
  }
  expected<uint64_t> drop(size_t count) override {
    return inner_->drop(count).map([this] { return inner_->state().bytes; });
  }
  expected<spool_state> state() override {
    return inner_->held().map([this](std::vector<spooled_event>&& held) {
      auto state = inner_->state();
      state.held = std::move(held);
      return state;
    });
  }

 private:
  // The spool keeps none: they can be read again.
  event_ptr with_keys(const event& e) {
    auto copy = e;
    copy.keys = rules_->keys_of_late(copy, reader_);
    return event_ptr{std::move(copy)};
  }

  std::unique_ptr<spool> inner_;
  rules_ptr rules_;
  codec::payload_reader reader_;
};

/// A spool that could not be opened again: says so to everybody.
class broken_spool_port final : public spool_port {
 public:
  explicit broken_spool_port(error why) : why_(std::move(why)) {}

  expected<uint64_t> append(std::span<const event_ptr>) override {
    return fail(why_);
  }
  expected<std::vector<event_ptr>> peek(size_t) override { return fail(why_); }
  expected<uint64_t> drop(size_t) override { return fail(why_); }
  expected<spool_state> state() override { return fail(why_); }

 private:
  error why_;
};

} // namespace

expected<void> spool_source::check(const config::store_settings& settings) {
  namespace fs = std::filesystem;
  if (settings.spool_directory.empty())
    return {};
  std::error_code failed;
  auto there = fs::absolute(settings.spool_directory, failed);
  // What is not there yet is no failure, though `failed` says so, too.
  while (fs::symlink_status(there, failed).type() == fs::file_type::not_found &&
         there.has_relative_path())
    there = there.parent_path();
  const auto refuse = [&](const std::string& why) {
    return fail(ec::bad_configuration, std::string{spool_key} +
                                           settings.spool_directory + ": " +
                                           there.string() + ' ' + why);
  };
  if (failed)
    return refuse("can't be looked at: " + failed.message());
  if (!fs::is_directory(there, failed))
    return refuse("is no directory");
  if (::access(there.c_str(), R_OK | W_OK | X_OK) != 0)
    return refuse(std::string{"can't be written to: "} + std::strerror(errno));
  // Rights are not all: root has them where no file system lets anybody make
  // anything.
  auto trial = (there / ".eventweft-XXXXXX").string();
  if (::mkdtemp(trial.data()) == nullptr)
    return refuse(std::string{"can't be written to: "} + std::strerror(errno));
  ::rmdir(trial.c_str());
  return {};
}

expected<spool_source::opener>
spool_source::open(const config::store_settings& settings,
                   std::shared_ptr<const correlation::engine> rules) {
  if (settings.spool_directory.empty())
    return opener{};
  spool_options options;
  options.directory = settings.spool_directory;
  options.max_bytes = settings.spool_max_bytes;
  auto opened = spool::open(options);
  if (!opened)
    // Another process that has it will be gone one day; a directory that can't
    // be made is wrong until somebody changes something.
    return fail(opened.error().code == ec::store_unavailable
                    ? ec::bad_configuration
                    : opened.error().code,
                std::string{spool_key} + opened.error().message);
  auto held = std::make_shared<std::unique_ptr<spool>>(std::move(*opened));
  return opener{[held, options,
                 rules = std::move(rules)]() -> std::unique_ptr<spool_port> {
    if (*held)
      return std::make_unique<open_spool_port>(std::move(*held), rules);
    auto again = spool::open(options);
    if (!again)
      return std::make_unique<broken_spool_port>(again.error());
    return std::make_unique<open_spool_port>(std::move(*again), rules);
  }};
}

} // namespace eventweft
