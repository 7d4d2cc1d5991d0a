# A private Courier-IMAP as Debian packages it, with its own authdaemond: everything in the folder $1, loopback only. Run by
# tests/support/another_imap.rs as root in a mount namespace of its own, because Courier's paths are compiled in: its unpacked
# packages ($2) lie over /usr there, its configuration over /etc. $3 is the IMAP port; `names` holds the users, `password` theirs.
set -e
cd "$1"
mount -t overlay -o "ro,lowerdir=$2/courier/usr:/usr" overlay /usr
if [ ! -e etc/courier/userdb.dat ]; then
    mkdir -p etc/courier/imapaccess etc/courier/shared
    cat > etc/courier/authdaemonrc <<END
authmodulelist="authuserdb"
authmodulelistorig="authuserdb"
daemons=2
authdaemonvar=/run/courier/authdaemon
DEBUG_LOGIN=0
DEFAULTOPTIONS=""
LOGGEROPTS=""
END
    hash=$(openssl passwd -1 -stdin < password)
    while read -r user; do
        maildirmake.courier "mail/$user"
        printf '%s\thome=%s|mail=%s|uid=%s|gid=%s|imappw=%s\n' "$user" "$1/mail/$user" "$1/mail/$user" \
            "$(id -u mail)" "$(id -g mail)" "$hash"
    done < names > etc/courier/userdb
    chown -R mail:mail mail
    chmod 600 etc/courier/userdb
    makeuserdb -f etc/courier/userdb
    # couriertls reads both from one file, and not as root.
    cat tls/key.pem tls/cert.pem > tls/both.pem
    chmod 644 tls/both.pem
fi
# A restored backup without the file in which Courier keeps its UIDs.
if [ -e forget ]; then
    while read -r user; do rm -f "mail/$user/courierimapuiddb"; done < forget
    rm forget
fi
mount -t overlay -o "ro,lowerdir=$1/etc:/etc" overlay /etc
mount -t tmpfs tmpfs /run
mkdir -p /run/courier/authdaemon
set -a
. /etc/courier/authdaemonrc
/usr/lib/courier/courier-authlib/authdaemond >> server.log 2>&1 &
until [ -S /run/courier/authdaemon/socket ]; do sleep 0.05; done
# As Debian's /etc/courier/imapd has it, but for the port and the limits on connections.
IMAP_CAPABILITY="IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE"
IMAP_CAPABILITY_TLS="$IMAP_CAPABILITY AUTH=PLAIN"
IMAP_KEYWORDS=1
IMAP_ACL=1
IMAP_IDLE_TIMEOUT=60
IMAP_MAILBOX_SANITY_CHECK=1
IMAP_USELOCKS=1
IMAP_UMASK=022
IMAP_ENHANCEDIDLE=0
IMAP_STARTTLS=YES
IMAP_TLS_REQUIRED=0
MAILDIRPATH=Maildir
COURIERTLS=/usr/bin/couriertls
TLS_CERTFILE=$1/tls/both.pem
TLS_TRUSTCERTS=$1/tls/ca.pem
TLS_VERIFYPEER=NONE
couriertcpd -address=127.0.0.1 -maxprocs=100 -maxperip=100 -nodnslookup -noidentlookup -stderr="$1/server.log" \
    "$3" /usr/lib/courier/courier/imaplogin /usr/bin/imapd Maildir &
wait "$!"
