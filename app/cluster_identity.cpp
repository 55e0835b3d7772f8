// SPDX-License-Identifier: Apache-2.0
#include "app/cluster_identity.hpp"

#include "config/small_file.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

namespace eventweft {

namespace {

constexpr int probe_milliseconds = 1'000;
/// Time to get a new certificate, where nothing renews it by itself.
constexpr std::chrono::hours end_is_near{7 * 24};

expected<std::string> text_of(const std::string& key, const std::string& path) {
  return config::read_file(path, "[cluster] " + key + ":");
}

/// `fault` begins with the key of the file that it is about.
std::string with_path(const config::cluster_settings& settings,
                      const std::string& fault) {
  using key_and_path = std::pair<std::string_view, const std::string*>;
  for (const auto& [key, path] :
       {key_and_path{"certificate: ", &settings.certificate},
        key_and_path{"key: ", &settings.key},
        key_and_path{"ca: ", &settings.ca}})
    if (fault.starts_with(key))
      return std::string{key} + *path + ": " + fault.substr(key.size());
  return fault;
}

/// Something that changes when the file does.
std::string stamp_of(const std::string& path) {
  std::error_code bad;
  const auto time = std::filesystem::last_write_time(path, bad);
  const auto size = std::filesystem::file_size(path, bad);
  return bad ? std::string{"-"}
             : std::to_string(time.time_since_epoch().count()) + ':' +
                   std::to_string(size);
}

} // namespace

cluster_identity::memory_file::~memory_file() {
  if (fd_ >= 0)
    ::close(fd_);
}

bool cluster_identity::memory_file::open(const char* name) {
  fd_ = ::memfd_create(name, MFD_CLOEXEC);
  return fd_ >= 0;
}

bool cluster_identity::memory_file::write(const std::string& text) {
  return ::ftruncate(fd_, 0) == 0 &&
         ::pwrite(fd_, text.data(), text.size(), 0) ==
             static_cast<ssize_t>(text.size());
}

std::string cluster_identity::memory_file::path() const {
  return "/proc/self/fd/" + std::to_string(fd_);
}

cluster_identity::cluster_identity(config::cluster_settings settings,
                                   std::string name)
    : settings_(std::move(settings)), name_(std::move(name)) {}

cluster_identity::~cluster_identity() = default;

expected<std::shared_ptr<cluster_identity>>
cluster_identity::load(const config::cluster_settings& settings,
                       const std::string& name) {
  std::shared_ptr<cluster_identity> out{new cluster_identity{settings, name}};
  auto loaded = out->read();
  if (!loaded)
    return fail(loaded.error());
  out->next_ = std::move(*loaded);
  if (auto made = out->make_files(); !made)
    return fail(made.error());
  out->swap();
  return out;
}

expected<crypto::credentials> cluster_identity::read() {
  seen_ = stamp_of(settings_.certificate) + stamp_of(settings_.key) +
          stamp_of(settings_.ca);
  auto certificate = text_of("certificate", settings_.certificate);
  if (!certificate)
    return fail(certificate.error());
  auto key = text_of("key", settings_.key);
  if (!key)
    return fail(key.error());
  auto authority = text_of("ca", settings_.ca);
  if (!authority)
    return fail(authority.error());
  auto out = crypto::credentials::load(*certificate, *key, *authority, name_);
  if (!out)
    return fail(ec::bad_configuration,
                "[cluster] " + with_path(settings_, out.error().message));
  return out;
}

expected<void> cluster_identity::make_files() {
  if (certificate_.open("eventweft-certificate") &&
      key_.open("eventweft-key") && authority_.open("eventweft-ca"))
    return {};
  return fail(ec::internal, "no files in memory can be made");
}

transport_files cluster_identity::files() const {
  return {certificate_.path(), key_.path(), authority_.path()};
}

void cluster_identity::tell_of_end(spdlog::logger& log, timestamp now) {
  const auto end = current_->valid_until();
  const auto state = end <= now                 ? told::over
                     : end - now <= end_is_near ? told::soon
                                                : told::nothing;
  if (std::exchange(told_, state) == state)
    return;
  if (state == told::over)
    log.error("cluster: this node's certificate is over since {}, and the "
              "others refuse it: put a new one at {}",
              to_rfc3339(end), settings_.certificate);
  else if (state == told::soon)
    log.warn("cluster: this node's certificate ends at {}: put a new one at {} "
             "before that",
             to_rfc3339(end), settings_.certificate);
}

bool cluster_identity::look(spdlog::logger& log, timestamp now) {
  std::lock_guard guard{mutex_};
  tell_of_end(log, now);
  const auto stamp = stamp_of(settings_.certificate) + stamp_of(settings_.key) +
                     stamp_of(settings_.ca);
  if (stamp == seen_)
    return next_.has_value();
  auto loaded = read();
  if (!loaded) {
    log.error("cluster: the new certificate is not used: {}; the one before "
              "goes on",
              loaded.error().message);
    return next_.has_value();
  }
  log.info("cluster: a new certificate is there");
  next_ = std::move(*loaded);
  return true;
}

void cluster_identity::swap() {
  std::lock_guard guard{mutex_};
  if (!next_)
    return;
  current_ = std::move(*next_);
  next_.reset();
  certificate_.write(current_->certificate());
  key_.write(current_->key());
  authority_.write(current_->authority());
}

crypto::credentials cluster_identity::current() const {
  std::lock_guard guard{mutex_};
  return *current_;
}

std::string cluster_identity::certificate() const {
  return current().certificate();
}

expected<std::string> cluster_identity::sign(std::string_view text) const {
  return current().sign(text);
}

expected<void> cluster_identity::verify(const std::string& certificate,
                                        const std::string& name,
                                        std::string_view text,
                                        std::string_view signature) const {
  return current().verify(certificate, name, text, signature);
}

bool listens_at(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints,
                    &found) != 0 ||
      !found)
    return false;
  const int fd =
      ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  bool there = false;
  if (fd >= 0) {
    if (::connect(fd, found->ai_addr, found->ai_addrlen) == 0) {
      there = true;
    } else if (errno == EINPROGRESS) {
      pollfd waiting{fd, POLLOUT, 0};
      int fault = 1;
      socklen_t size = sizeof fault;
      there = ::poll(&waiting, 1, probe_milliseconds) == 1 &&
              ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &size) == 0 &&
              fault == 0;
    }
    ::close(fd);
  }
  ::freeaddrinfo(found);
  return there;
}

} // namespace eventweft
