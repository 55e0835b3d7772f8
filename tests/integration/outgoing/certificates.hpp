// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace eventweft::outgoing::testing_support {

struct pem_pair {
  std::string certificate;
  std::string key;
};

/// A fresh CA of its own, made when the tests start.
class test_ca {
 public:
  test_ca();

  const std::string& certificate() const noexcept { return ca_.certificate; }

  /// A certificate for `names`, in OpenSSL's notation
  /// (`DNS:hooks.example,IP:127.0.0.1`), valid from two days ago for `days`
  /// from now; for both ends of a connection unless `usage` says for which
  /// (`serverAuth`). Without `names` it has only its subject.
  pem_pair issue(const std::string& names, int days = 30,
                 const std::string& usage = {}) const;

 private:
  pem_pair ca_;
};

/// A file with `text` that is deleted with this object.
class temporary_file {
 public:
  explicit temporary_file(const std::string& text);
  ~temporary_file();
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

} // namespace eventweft::outgoing::testing_support
