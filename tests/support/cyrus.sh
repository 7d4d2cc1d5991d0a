# A private Cyrus IMAP as Debian packages it, with passwords in its own sasldb: everything in the folder $1, loopback only.
# Run by tests/support/another_imap.rs as root in a mount namespace of its own, in which the unpacked packages ($2) lie over
# /usr. $3 is the IMAP port, $4 the LMTP port; `names` holds the users, `password` theirs.
set -e
cd "$1"
mount -t overlay -o "ro,lowerdir=$2/cyrus/usr:/usr" overlay /usr
mount -t tmpfs tmpfs /run
bin=/usr/lib/cyrus/bin
as_mail="setpriv --reuid mail --regid mail --clear-groups"
if [ ! -e imapd.conf ]; then
    mkdir -p lib/socket lib/log lib/msg lib/sieve spool
    cat > imapd.conf <<END
configdirectory: $1/lib
defaultpartition: default
partition-default: $1/spool
cyrus_user: mail
cyrus_group: mail
admins: cyrus
servername: localhost
sasl_mech_list: PLAIN LOGIN
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: $1/sasldb2
allowplaintext: yes
altnamespace: yes
unixhierarchysep: yes
autocreate_quota: 0
autocreate_post: yes
autocreate_inbox_folders: Sent
xlist-sent: Sent
duplicatesuppression: no
tls_server_cert: $1/tls/cert.pem
tls_server_key: $1/tls/key.pem
END
    cat > cyrus.conf <<END
START {
  recover cmd="$bin/ctl_cyrusdb -C $1/imapd.conf -r"
  idled cmd="$bin/idled -C $1/imapd.conf"
}
SERVICES {
  imap cmd="$bin/imapd -C $1/imapd.conf" listen="127.0.0.1:$3" prefork=2
  lmtp cmd="$bin/lmtpd -C $1/imapd.conf -a" listen="127.0.0.1:$4" prefork=1
}
EVENTS {
}
END
    while read -r user; do saslpasswd2 -p -c -u localhost -f sasldb2 "$user" < password; done < names
    chown -R mail:mail .
fi
# A restored backup without the index in which Cyrus keeps its UIDVALIDITY.
if [ -e forget ]; then
    $as_mail $bin/ctl_cyrusdb -C imapd.conf -r
    while read -r user; do
        rm "$($as_mail $bin/mbpath -C "$1/imapd.conf" "user/$user" | head -n 1)/cyrus.index"
        $as_mail $bin/reconstruct -C "$1/imapd.conf" -u "$user"
    done < forget
    rm forget
fi
# Not exec: a process that gives up root no longer hears of the death of its parent, and the server would outlive the test.
$bin/master -D -M "$1/cyrus.conf" -C "$1/imapd.conf" -p "$1/master.pid" &
wait "$!"
