# The portal loads a captcha whether it shows one or not. This one draws nothing,
# and so needs no library of images.
package NoCaptcha;
use strict;
use Mouse;
extends 'Lemonldap::NG::Portal::Main::Plugin';
sub init { 1 }
1;
